#include "core/model/families/family.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <stdexcept>

#include "core/model/families/catalogue.h"

namespace plumbline {

std::string to_string(const TensorId& id) {
    constexpr std::array names = {"embedding", "positions", "output", "final_norm", "attention_norm", "q",
                                  "k", "v", "o", "q_norm", "k_norm", "attention_post_norm", "mlp_norm", "gate",
                                  "up", "down", "mlp_post_norm"};
    const std::string block = is_of_block(id.part) ? "blocks." + std::to_string(id.block) + "." : "";
    return block + names[static_cast<std::size_t>(id.part)] + (id.bias ? ".bias" : ".weight");
}

TensorShape shape_of(const DecoderConfig& c, Part part, bool bias) {
    const auto vector = [](std::int64_t size) { return TensorShape{size, 0}; };
    const auto either = [&](bool biased, std::int64_t rows, std::int64_t columns) {
        return bias ? vector(biased ? rows : 0) : TensorShape{rows, columns};
    };
    const auto norm = [&](BlockVector weight) {
        return vector(bias && c.norm == NormKind::rms ? 0 : c.size_of(weight));
    };
    switch (part) {
        case Part::embedding: return either(false, c.vocab, c.hidden);
        case Part::positions: return either(false, c.learned_positions, c.hidden);
        case Part::output: return either(false, c.tied_embeddings ? 0 : c.vocab, c.hidden);
        case Part::final_norm: return vector(bias && c.norm == NormKind::rms ? 0 : c.hidden);
        case Part::attention_norm: return norm(BlockVector::attention_norm);
        case Part::mlp_norm: return norm(BlockVector::mlp_norm);
        case Part::q: return either(c.qkv_bias, c.query_width(), c.hidden);
        case Part::k:
        case Part::v: return either(c.qkv_bias, c.key_width(), c.hidden);
        case Part::o: return either(c.output_bias, c.hidden, c.query_width());
        case Part::gate: return either(c.mlp_bias, c.gated ? c.mlp : 0, c.hidden);
        case Part::up: return either(c.mlp_bias, c.mlp, c.hidden);
        case Part::down: return either(c.mlp_bias, c.hidden, c.mlp);
        case Part::q_norm: return vector(bias ? 0 : c.size_of(BlockVector::q_norm));
        case Part::k_norm: return vector(bias ? 0 : c.size_of(BlockVector::k_norm));
        case Part::attention_post_norm: return vector(bias ? 0 : c.size_of(BlockVector::attention_post_norm));
        case Part::mlp_post_norm: return vector(bias ? 0 : c.size_of(BlockVector::mlp_post_norm));
    }
    return {};
}

std::string name_in_block(const Module& module, int block) {
    std::string out = module.name;
    if (const std::size_t at = out.find("{}"); at != std::string::npos) {
        out.replace(at, 2, std::to_string(block));
    }
    return out;
}

std::vector<std::int64_t> stored_shape(const Module& module, const DecoderConfig& config, bool bias) {
    std::int64_t rows = 0, columns = 0;
    for (const Part part : module.parts) {
        const TensorShape shape = shape_of(config, part, bias);
        rows += shape.rows;
        columns = shape.columns;
    }
    if (rows == 0) {
        return {};
    }
    if (columns == 0) {
        return {rows};
    }
    return module.layout == Layout::columns ? std::vector{columns, rows} : std::vector{rows, columns};
}

std::vector<std::int64_t> places_of_rows(const Module& module, const DecoderConfig& c) {
    std::int64_t all = 0;
    for (const Part part : module.parts) {
        all += shape_of(c, part, false).rows;
    }
    std::vector<std::int64_t> out(static_cast<std::size_t>(all));
    const std::int64_t d = c.head_dim;
    if (module.layout == Layout::pairs) {
        for (std::int64_t row = 0; row < all; ++row) {
            const std::int64_t i = row % d;
            out[static_cast<std::size_t>(row)] = row - i + 2 * (i % (d / 2)) + i / (d / 2);
        }
    } else if (module.layout == Layout::by_head) {
        const std::int64_t width = c.query_width();   // as many heads of keys and values
        for (std::int64_t row = 0; row < all; ++row) {
            const std::int64_t of_part = row / width, head = row % width / d;
            out[static_cast<std::size_t>(row)] = (3 * head + of_part) * d + row % d;
        }
    } else {
        std::iota(out.begin(), out.end(), 0);
    }
    return out;
}

const std::vector<Family>& families() {
    static const std::vector<Family> all = [] {
        std::vector<Family> out;
        for (std::vector<Family> (*of_file)() : {llama_families, gemma_families, phi3_family, gpt2_family,
                                                 gpt_neox_family, opt_family}) {
            std::ranges::move(of_file(), std::back_inserter(out));
        }
        return out;
    }();
    return all;
}

const Family& family_of(const DecoderConfig& config) {
    for (const Family& family : families()) {
        if (family.name == config.family) {
            return family;
        }
    }
    throw std::logic_error("family_of: no family " + std::string(config.family));
}

const Module* find_module(const std::vector<Module>& modules, Part part) {
    const auto found = std::ranges::find_if(modules, [&](const Module& module) {
        return std::ranges::find(module.parts, part) != module.parts.end();
    });
    return found == modules.end() ? nullptr : &*found;
}

namespace {

/// The last `parts` parts of a dotted name.
std::string end_of(const std::string& name, int parts) {
    std::size_t at = name.size();
    for (; parts > 0 && at != std::string::npos && at > 0; --parts) {
        at = name.rfind('.', at - 1);
    }
    return at == std::string::npos ? name : name.substr(at + 1);
}

}  // namespace

std::vector<LinearModule> linear_modules(const DecoderConfig& config) {
    const std::array<std::vector<Part>, 4> products = {
        {{Part::q, Part::k, Part::v}, {Part::o}, {Part::gate, Part::up}, {Part::down}}};
    std::vector<LinearModule> out;
    for (int product = 0; product < 4; ++product) {
        std::int64_t column = 0;
        for (const Part part : products[static_cast<std::size_t>(product)]) {
            const TensorShape shape = shape_of(config, part, false);
            if (shape.rows == 0) {
                continue;
            }
            const Module* module = find_module(family_of(config).folder, part);
            if (out.empty() || out.back().module != module) {
                out.push_back({module, end_of(module->name, 1), product, column, shape.columns, 0});
            }
            out.back().out += shape.rows;
            column += shape.rows;
        }
    }
    for (LinearModule& module : out) {
        const std::string end = end_of(module.module->name, 1);
        const auto same = [&](const LinearModule& other) { return end_of(other.module->name, 1) == end; };
        if (std::ranges::count_if(out, same) > 1) {
            module.label = end_of(module.module->name, 2);
        }
    }
    return out;
}

}  // namespace plumbline
