// Writes what the fuzz targets begin with: one folder a target of small sound files. Text seeds lie in
// tests/fuzz/seeds; what is binary is made here, so that it is never out of date.
// usage: make_seeds FOLDER

#include <zlib.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/formats/gguf.h"
#include "core/formats/hf_config.h"
#include "core/formats/peft.h"
#include "core/formats/safetensors.h"
#include "core/model/families/family.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

using namespace plumbline;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr char separator = '\x1e';  // of the parts of one input

class Seeds {
  public:
    explicit Seeds(fs::path folder) : folder_(std::move(folder)) {}
    void add(const std::string& target, const std::string& name, std::string_view bytes) const {
        fs::create_directories(folder_ / target);
        testing::write_whole(folder_ / target / name, bytes);
    }

  private:
    fs::path folder_;
};

std::string gzip(const std::string& text) {
    z_stream stream{};
    constexpr int window_bits = 15, with_gzip_header = 16;
    if (deflateInit2(&stream, 9, Z_DEFLATED, window_bits + with_gzip_header, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::bad_alloc();
    }
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int result = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (result != Z_STREAM_END) throw std::runtime_error("gzip did not end");
    return out;
}

/// Every kind of metadata, and a tensor of every type.
void add_gguf(const Seeds& seeds) {
    testing::GgufWriter writer;
    writer.add_u32("general.alignment", 32);
    writer.add_text("general.architecture", "llama");
    writer.add_u32("llama.block_count", 2);
    writer.add_f32("llama.rope.freq_base", 10000);
    writer.add_flag("tokenizer.ggml.add_bos_token", false);
    writer.add_texts("tokenizer.ggml.tokens", {"a", "b", "ab", "<x>"});
    writer.add_i32s("tokenizer.ggml.token_type", {1, 1, 1, 3});
    seeds.add("gguf", "metadata", writer.bytes());
    seeds.add("gguf", "llama", testing::tiny_model(1, {4, 1, 2, 1, 2, 4, 8}).bytes());
    for (std::uint32_t type = 0; type < 64; ++type) {
        const GgufBlock block = block_of(static_cast<GgufType>(type));
        if (block.elements == 0) continue;
        testing::GgufWriter tensor;
        const std::vector<std::byte> data(2 * static_cast<std::size_t>(block.bytes), std::byte{0x3c});
        tensor.add_tensor("blk.0.attn_q.weight", {2, block.elements}, type, data);
        seeds.add("gguf", std::string(name_of(static_cast<GgufType>(type))), tensor.bytes());
    }
}

void add_safetensors(const Seeds& seeds) {
    const testing::TempFolder folder;
    const std::vector<float> floats(6, 0.5f);
    const std::vector<std::uint16_t> halves(4, 0x3c00);
    write_safetensors(folder / "f",
                      {{"a", {"F32", {2, 3}, std::as_bytes(std::span(floats))}},
                       {"b", {"BF16", {4}, std::as_bytes(std::span(halves))}},
                       {"c", {"F16", {2, 2}, std::as_bytes(std::span(halves))}},
                       {"none", {"I64", {0, 7}, {}}}},
                      {{"format", "pt"}});
    seeds.add("safetensors", "four", testing::read_whole(folder / "f"));
}

void add_peft(const Seeds& seeds) {
    const testing::TempFolder folder;
    PeftAdapter adapter;
    adapter.rank = 1;
    adapter.alpha = 2;
    adapter.target_modules = {"q_proj"};
    const std::string module = "model.layers.0.self_attn.q_proj";
    adapter.lora[module + ".lora_A"] = {{1, 2}, {0.5f, 1}};
    adapter.lora[module + ".lora_B"] = {{2, 1}, {0.25f, -1}};
    const auto add = [&](const char* name) {
        write_peft(folder.path(), adapter);
        seeds.add("peft", name,
                  testing::read_whole(folder / "adapter_config.json") + separator +
                      testing::read_whole(folder / "adapter_model.safetensors"));
    };
    add("lora");
    adapter.task_type = "SEQ_CLS";
    adapter.rslora = true;
    adapter.saved["score.weight"] = {{1, 2}, {1, -1}};
    add("reward");
}

std::string joined(const std::vector<std::string>& lines) {
    std::string out;
    for (const std::string& line : lines) out += line + '\n';
    return out;
}

void add_tokenizers(const Seeds& seeds) {
    const auto add = [&](const std::string& name, const std::vector<std::string>& parts) {
        std::string out;
        for (const std::string& part : parts) out += (out.empty() ? "" : std::string(1, separator)) + part;
        seeds.add("gguf_tokenizer", name, out);
    };
    std::string types(testing::tiny_tokens().size(), '1');
    types.replace(0, 3, "333");
    const std::string text = "You don't say <|im_end|> 12  please\n\xF0\x9F\x99\x82 the other\t\xCC\x81";
    add("tiny", {"gpt2", "smollm", joined(testing::tiny_tokens()), types, "", joined(testing::tiny_merges()), "b1e2",
                 text});
    for (const char* pre : {"llama-bpe", "qwen2", "gpt-2", "default"}) {
        add(pre, {"gpt2", pre, "a\nb\nab\n\xC4\xA0\n<x>\n\xC4\xA0" "ab\n1", "1111411", "", "a b\n\xC4\xA0 ab", "e4B0",
                  "ab  ab<x>'ll 123 ba"});
    }
    add("sentencepiece", {"llama", "", "<unk>\n<s>\n</s>\n<0x61>\n<0xCC>\n\xE2\x96\x81\na\nb\nab\n\xE2\x96\x81" "ab",
                          "2336611111", "aaabbcdefg", "", "b1e2u0B1S1", "ab  ab</s>\xCC\x81"});
}

/// Weights of 0 for every tensor of the first block and of the whole.
void write_zeros(const fs::path& path, const std::vector<Module>& modules, const DecoderConfig& config) {
    std::map<std::string, SafeTensor> tensors;
    static const std::vector<std::byte> zeros(1 << 16);
    for (const Module& module : modules) {
        for (const bool bias : {false, true}) {
            std::int64_t rows = 0, columns = 0;
            for (const Part part : module.parts) {
                rows += shape_of(config, part, bias).rows;
                columns = shape_of(config, part, bias).columns;
            }
            if (rows == 0) continue;
            std::vector<std::int64_t> shape = {rows};
            if (columns > 0) shape.push_back(columns);
            if (module.layout == Layout::columns && columns > 0) std::reverse(shape.begin(), shape.end());
            const std::size_t bytes = 2 * static_cast<std::size_t>(rows * std::max<std::int64_t>(columns, 1));
            tensors[name_in_block(module, 0) + (bias ? ".bias" : ".weight")] =
                SafeTensor{"BF16", shape, std::span(zeros).first(bytes)};
        }
    }
    write_safetensors(path, tensors);
}

/// A folder of each family: the settings of a golden model with the least sizes, and weights of 0 for them.
void add_models(const Seeds& seeds, const fs::path& golden) {
    const std::map<std::string, json> least = {
        {"hidden_size", 8},         {"n_embd", 8},  {"word_embed_proj_dim", 8}, {"num_attention_heads", 1},
        {"n_head", 1},              {"head_dim", 8}, {"num_key_value_heads", 1}, {"intermediate_size", 4},
        {"ffn_dim", 4},             {"n_inner", 4},  {"vocab_size", 3},          {"num_hidden_layers", 1},
        {"n_layer", 1},             {"pad_token_id", 0}, {"n_positions", 4},     {"max_position_embeddings", 4}};
    const testing::TempFolder folder;
    for (const fs::directory_entry& entry : fs::directory_iterator(golden / "families")) {
        if (!fs::exists(entry.path() / "config.json")) continue;
        json settings = json::parse(testing::read_whole(entry.path() / "config.json"));
        for (auto& [key, value] : settings.items()) {
            if (least.contains(key)) value = least.at(key);
            if (key == "layer_types" || key == "no_rope_layers") value = json::array({value.at(0)});
        }
        const std::string text = settings.dump();
        testing::write_whole(folder / "config.json", text);
        const HfConfig file(folder / "config.json");
        const std::string type = settings.at("model_type");
        DecoderConfig config;
        for (const Family& family : families()) {
            if (std::ranges::find(family.model_types, type) == family.model_types.end()) continue;
            config.family = family.name;
            family.read_folder(file, config);
            write_zeros(folder / "model.safetensors", family.folder, config);
        }
        seeds.add("model_folder", entry.path().filename().string(),
                  text + separator + R"({"chat_template": "{{ messages }}"})" + separator + separator +
                      testing::read_whole(folder / "model.safetensors"));
    }
}

/// The compressed twin of each text seed of rows.
void add_compressed(const Seeds& seeds, const fs::path& texts) {
    for (const char* target : {"feedback", "rows"}) {
        for (const fs::directory_entry& entry : fs::directory_iterator(texts / target)) {
            const std::string name = entry.path().filename().string();
            seeds.add(target, name + ".gz", gzip(testing::read_whole(entry.path())));
        }
    }
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::cerr << "usage: make_seeds FOLDER\n";
        return 2;
    }
    const fs::path out = arguments[1], texts = fs::path(PLUMBLINE_TESTS_DIR) / "fuzz/seeds";
    fs::create_directories(out);
    fs::copy(texts, out, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    const Seeds seeds(out);
    add_gguf(seeds);
    add_safetensors(seeds);
    add_peft(seeds);
    add_tokenizers(seeds);
    add_compressed(seeds, texts);
    const fs::path golden = fs::path(PLUMBLINE_TESTS_DIR) / "golden";
    add_models(seeds, golden);
    for (const fs::directory_entry& entry : fs::directory_iterator(golden / "chat_templates")) {
        seeds.add("chat_template", entry.path().filename().string(), testing::read_whole(entry.path()) + separator + "Hi");
    }
    // A project's changes: one page number, one text, nothing.
    seeds.add("project", "header", std::string("\x1c\0\0\4\0\0\0\1", 8));
    seeds.add("project", "row", std::string("\0\x20\0\2\xff\xff\0\x10\1\1\7", 11));
    return 0;
}
