#include "core/formats/gguf_export.h"

#include <algorithm>
#include <map>

#include "core/api/errors.h"
#include "core/formats/file_tensors.h"
#include "core/formats/gguf_settings.h"
#include "core/formats/gguf_tokenizer.h"
#include "core/formats/gguf_writer.h"
#include "core/formats/quantize.h"

namespace plumbline {

namespace {

/// llama.cpp's numbers for what a file is mostly made of (general.file_type).
std::uint32_t file_type_of(GgufType type) {
    static const std::map<GgufType, std::uint32_t> numbers = {
        {GgufType::f32, 0},  {GgufType::f16, 1},  {GgufType::q4_0, 2}, {GgufType::q4_1, 3},
        {GgufType::q8_0, 7}, {GgufType::q5_0, 8}, {GgufType::q5_1, 9}, {GgufType::bf16, 32}};
    return numbers.at(type);
}

/// What the file says of itself and not of the model.
bool is_of_the_file(const std::string& key) {
    return key == "general.alignment" || key == "general.file_type" || key == "general.quantization_version" ||
           key.starts_with("quantize.") || key.starts_with("split.");
}

void copy_metadata(const GgufFile& from, GgufWriter& to) {
    for (const auto& [key, value] : from.metadata()) {
        if (!is_of_the_file(key)) {
            const std::span<const std::byte> bytes = from.stored(key);
            to.set(key, GgufStored{std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())});
        }
    }
}

/// Divisors of the rotary frequencies lie in the file as tensors that belong to no part of the decoder.
void copy_rope_tensors(const GgufFile& from, GgufWriter& to) {
    for (const GgufTensor& tensor : from.tensors()) {
        if (tensor.name.starts_with("rope_f")) {
            to.add_tensor(tensor.name, GgufType::f32, tensor.shape,
                          [&tensor](std::span<float> values) { dequantize(tensor, values); });
        }
    }
}

bool is_of_tokens(const std::string& name) {
    return name == "token_embd.weight" || name == "output.weight";
}

}  // namespace

std::vector<std::string> check_gguf(const ModelFiles& model) {
    if (model.gguf() != nullptr) {
        return {};
    }
    GgufWriter unwritten;
    add_tokenizer(model, unwritten);
    return add_settings(model, unwritten);
}

WrittenModel write_gguf(const ModelFiles& model, const WeightSource& source, GgufType type, const std::string& name,
                        const std::filesystem::path& out, const std::function<void(double)>& before_each,
                        const std::string& chat_template) {
    GgufWriter writer;
    WrittenModel result;
    if (model.gguf() != nullptr) {
        copy_metadata(*model.gguf(), writer);
        copy_rope_tensors(*model.gguf(), writer);
    } else {
        result.notes = add_settings(model, writer);
        add_tokenizer(model, writer);
    }
    writer.set("general.name", name);
    add_chat_template(model, chat_template, writer);
    writer.set("general.file_type", file_type_of(type));
    const bool quantised = block_of(type).elements > 1;
    if (quantised) {
        writer.set("general.quantization_version", std::uint32_t{2});
    }
    const GgufType of_tokens = quantised ? GgufType::q8_0 : type;
    std::int64_t fallen_back = 0;
    for (FileTensor& tensor : file_tensors(model.family().gguf, model.config(), source)) {
        const bool vector = tensor.shape.size() == 1 || tensor.name == "position_embd.weight";
        const GgufType wanted = vector ? GgufType::f32 : is_of_tokens(tensor.name) ? of_tokens : type;
        const GgufType own = type_for_rows(wanted, tensor.shape.back());
        fallen_back += own != wanted;
        writer.add_tensor(tensor.name, own, tensor.shape, std::move(tensor.fill));
        ++result.tensors;
    }
    if (fallen_back > 0) {
        result.notes.push_back(std::to_string(fallen_back) + " matrices are F16, for their rows are no multiple of " +
                               std::to_string(block_of(type).elements) + " as " + std::string(name_of(type)) +
                               " needs");
    }
    if (quantised && type != GgufType::q8_0) {
        result.notes.push_back("the token matrix is Q8_0, as fewer bits cost the most there");
    }
    writer.write(out, before_each);
    result.bytes = std::filesystem::file_size(out);
    return result;
}

}  // namespace plumbline
