#include "core/model/read_decoder.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "core/formats/model_files.h"
#include "core/model/huge_pages.h"
#include "core/model/stored_weight.h"

namespace plumbline {

using at::Tensor;

namespace {

constexpr std::int64_t out_of_cache = 16'000'000;    // weights; those of smaller models are in the caches when sampling
constexpr std::int64_t entries_a_thread = 1 << 18;   // fewer cost more to hand over than to read

/// Reads rows out of `bytes`, those of the matrix.
FrozenLinear::RowReader row_reader(const GgufTensor& matrix, StoredWeight::Bytes bytes) {
    const std::int64_t rows = matrix.shape[0], width = matrix.shape[1];
    GgufTensor row = matrix;   // its directory entry, for one row at a time
    row.shape = {1, width};
    row.elements = width;
    return [row, bytes = std::move(bytes),
            row_bytes = matrix.data.size() / static_cast<std::size_t>(rows)](const Tensor& ids) {
        const auto width_of_row = static_cast<std::size_t>(row.elements);
        Tensor out = at::empty({ids.size(0), row.elements}, at::kFloat);
        for (std::int64_t i = 0; i < ids.size(0); ++i) {
            GgufTensor one = row;
            one.data = std::span(*bytes).subspan(static_cast<std::size_t>(ids.const_data_ptr<std::int64_t>()[i]) * row_bytes,
                                                 row_bytes);
            dequantize(one, {out.data_ptr<float>() + static_cast<std::size_t>(i) * width_of_row, width_of_row});
        }
        return out;
    };
}

class WeightReader {
  public:
    WeightReader(const ModelFiles& files, Precision precision, at::Device device)
        : files_(files), precision_(precision), device_(device) {
        if (device.is_cpu() && files.gguf() != nullptr) {
            kept_ = std::make_shared<const KeptFile>(files.path());
        }
    }

    /// The parts one below the other, on the CPU; undefined: the family has none of them.
    Tensor read(std::initializer_list<Part> parts, int block, bool bias = false) const {
        std::int64_t rows = 0, columns = 0;
        for (const Part part : parts) {
            const TensorShape shape = shape_of(files_.config(), part, bias);
            rows += shape.rows;
            columns = std::max(columns, shape.columns);
        }
        if (rows == 0) {
            return {};
        }
        Tensor out = columns > 0 ? at::empty({rows, columns}, at::kFloat) : at::empty({rows}, at::kFloat);
        float* to = out.data_ptr<float>();
        for (const Part part : parts) {
            const std::int64_t own = shape_of(files_.config(), part, bias).rows;
            read_rows({part, block, bias}, own, std::max<std::int64_t>(columns, 1), to);
            to += own * std::max<std::int64_t>(columns, 1);
        }
        return out;
    }

    FrozenLinear linear(std::initializer_list<Part> parts, int block) const {
        FrozenLinear out(read(parts, block).to(device_), precision_);
        if (kept_) {
            out.multiply_few_by(stored(parts, block, [file = kept_](const StoredRows& part) {
                return std::make_shared<const std::vector<std::byte>>(part.read(*file));
            }));
        }
        return out;
    }
    /// On the CPU its rows are read out of a copy of the matrix as the file has it: an eighth of the plain one's memory, and
    /// no file that could change below it. Where it is the output layer too, that is multiplied by as well.
    FrozenLinear embedding() const {
        FrozenLinear out(read({Part::embedding}, 0).to(device_), precision_);
        if (!device_.is_cpu()) {
            return out;
        }
        const GgufTensor& matrix = files_.stored({Part::embedding});
        const auto bytes = std::make_shared<const std::vector<std::byte>>(matrix.data.begin(), matrix.data.end());
        out.read_rows_by(row_reader(matrix, bytes));
        if (kept_ && files_.config().tied_embeddings) {
            out.multiply_few_by(stored({Part::embedding}, 0, [bytes](const StoredRows&) { return bytes; }));
        }
        return out;
    }
    Tensor vector(std::initializer_list<Part> parts, int block, bool bias = false) const {
        const Tensor out = read(parts, block, bias);
        return out.defined() ? out.to(device_) : out;
    }

  private:
    std::shared_ptr<const StoredWeight> stored(std::initializer_list<Part> parts, int block,
                                               StoredWeight::Reader reader) const {
        std::vector<StoredRows> rows;
        for (const Part part : parts) {
            if (shape_of(files_.config(), part, false).rows == 0) {
                continue;
            }
            std::optional<StoredRows> of_part = files_.stored_rows({part, block, false});
            if (!of_part) {
                return nullptr;
            }
            rows.push_back(*std::move(of_part));
        }
        return StoredWeight::of(std::move(rows), std::move(reader), precision_);
    }
    void read_rows(const TensorId& id, std::int64_t rows, std::int64_t width, float* to) const {
        at::parallel_for(0, rows, std::max<std::int64_t>(1, entries_a_thread / width),
                         [&](std::int64_t begin, std::int64_t end) {
            files_.read(id, begin, {to + begin * width, static_cast<std::size_t>((end - begin) * width)});
        });
    }

    const ModelFiles& files_;
    Precision precision_;
    at::Device device_;
    std::shared_ptr<const KeptFile> kept_;   // nullptr: nothing is read of it later
};

DecoderBlock read_block(const WeightReader& weights, int block) {
    DecoderBlock out;
    out.vector(BlockVector::attention_norm) = weights.vector({Part::attention_norm}, block);
    out.vector(BlockVector::mlp_norm) = weights.vector({Part::mlp_norm}, block);
    out.vector(BlockVector::attention_norm_bias) = weights.vector({Part::attention_norm}, block, true);
    out.vector(BlockVector::mlp_norm_bias) = weights.vector({Part::mlp_norm}, block, true);
    out.vector(BlockVector::qkv_bias) = weights.vector({Part::q, Part::k, Part::v}, block, true);
    out.vector(BlockVector::output_bias) = weights.vector({Part::o}, block, true);
    out.vector(BlockVector::gate_up_bias) = weights.vector({Part::gate, Part::up}, block, true);
    out.vector(BlockVector::down_bias) = weights.vector({Part::down}, block, true);
    out.vector(BlockVector::q_norm) = weights.vector({Part::q_norm}, block);
    out.vector(BlockVector::k_norm) = weights.vector({Part::k_norm}, block);
    out.vector(BlockVector::attention_post_norm) = weights.vector({Part::attention_post_norm}, block);
    out.vector(BlockVector::mlp_post_norm) = weights.vector({Part::mlp_post_norm}, block);
    out.qkv = weights.linear({Part::q, Part::k, Part::v}, block);
    out.output = weights.linear({Part::o}, block);
    out.gate_up = weights.linear({Part::gate, Part::up}, block);
    out.down = weights.linear({Part::down}, block);
    return out;
}

}  // namespace

std::unique_ptr<Decoder> read_decoder(const ModelFiles& files, Precision precision, const Pulse& pulse,
                                      const std::function<void(double)>& progress, at::Device device) {
    const DecoderConfig& config = files.config();
    if (config.parameters() >= out_of_cache) {
        grow_heap_in_huge_pages();
    }
    const WeightReader weights(files, precision, device);
    const at::NoGradGuard no_grad;
    std::vector<DecoderBlock> blocks;
    for (int block = 0; block < config.blocks; ++block) {
        pulse.check();
        blocks.push_back(read_block(weights, block));
        if (progress) {
            progress(0.8 * (block + 1) / config.blocks);
        }
    }
    DecoderEnds ends;
    ends.embedding = weights.embedding();
    if (!config.tied_embeddings) {
        ends.head = weights.linear({Part::output}, 0);
    }
    ends.final_norm = weights.vector({Part::final_norm}, 0);
    ends.final_norm_bias = weights.vector({Part::final_norm}, 0, true);
    ends.positions = weights.vector({Part::positions}, 0);
    if (progress) {
        progress(1.0);
    }
    return std::make_unique<Decoder>(config, std::move(ends), std::move(blocks));
}

}  // namespace plumbline
