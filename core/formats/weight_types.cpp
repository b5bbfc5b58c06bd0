#include "core/formats/weight_types.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/api/errors.h"

namespace plumbline {

namespace {

constexpr std::array all_types = {GgufType::f32,  GgufType::f16,  GgufType::bf16, GgufType::q8_0,
                                  GgufType::q5_1, GgufType::q5_0, GgufType::q4_1, GgufType::q4_0};

}  // namespace

std::string name_in_options(GgufType type) {
    std::string out(name_of(type));
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

GgufType weight_type_named(ModelFormat format, const std::string& name) {
    const std::vector<std::string> types = weight_types(format);
    if (!name.empty() && std::ranges::find(types, name) == types.end()) {
        std::string list;
        for (const std::string& type : types) {
            list += (list.empty() ? "" : ", ") + type;
        }
        throw ConfigError("export", "weights of type '" + name + "' are not written as " +
                                         std::string(name_of(format)) +
                                         (list.empty() ? "; leave the type out" : "; choose " + list));
    }
    const std::string wanted = name.empty() && !types.empty() ? types.front() : name;
    const auto found = std::ranges::find_if(all_types, [&](GgufType type) { return name_in_options(type) == wanted; });
    return found == all_types.end() ? GgufType::f32 : *found;
}

std::string_view name_of(ModelFormat format) {
    switch (format) {
        case ModelFormat::peft: return "peft";
        case ModelFormat::safetensors: return "safetensors";
        case ModelFormat::gguf: return "gguf";
    }
    return "";
}

std::vector<std::string> weight_types(ModelFormat format) {
    switch (format) {
        case ModelFormat::peft: return {};
        case ModelFormat::safetensors: return {"f32", "f16", "bf16"};
        case ModelFormat::gguf: return {"f16", "bf16", "f32", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"};
    }
    return {};
}

std::int64_t merged_bytes(const ModelInfo& model, ModelFormat format, const std::string& type) {
    if (format == ModelFormat::peft) {
        return 0;
    }
    const GgufType wanted = weight_type_named(format, type);
    const auto bytes = [](std::int64_t weights, GgufType as) {
        const GgufBlock block = block_of(as);
        return weights / block.elements * block.bytes;
    };
    const std::int64_t of_tokens = std::int64_t{model.vocab} * model.hidden;   // written with eight bits at least
    return bytes(model.parameters - of_tokens, wanted) +
           bytes(of_tokens, block_of(wanted).elements > 1 ? GgufType::q8_0 : wanted);
}

}  // namespace plumbline
