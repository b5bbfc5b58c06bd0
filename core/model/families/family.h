#pragma once
// The families of models: what each calls its tensors and settings in files, as data that serves both directions.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/decoder_config.h"

namespace plumbline {

class GgufFile;
class HfConfig;

/// The parts of a decoder, each with a weight and perhaps a bias: matrices (out, in), vectors for norms.
enum class Part {
    embedding, positions, output, final_norm,   // of the whole
    attention_norm, q, k, v, o, q_norm, k_norm, attention_post_norm, mlp_norm, gate, up, down, mlp_post_norm
};
inline bool is_of_block(Part part) { return part >= Part::attention_norm; }

/// One tensor as the decoder has it.
struct TensorId {
    Part part{};
    int block = 0;        // only for parts of a block
    bool bias = false;
};
std::string to_string(const TensorId& id);   // "blocks.3.q.bias"

/// Rows and columns; 0 columns for a vector, 0 rows for what the configuration has not.
struct TensorShape {
    std::int64_t rows = 0, columns = 0;
};
TensorShape shape_of(const DecoderConfig& config, Part part, bool bias);

/// Where the rows of a module's parts stand in its tensor.
enum class Layout {
    rows,      // part after part
    pairs,     // turned entries i and i + d/2 of each head beside each other (GGUF's Llama)
    by_head,   // of each head its query, its key and its value (GPT-NeoX)
    columns,   // part after part, and the matrix lies on its side, (in, out) (GPT-2)
};

/// One tensor of a file, or two with its bias: "<name>.weight", "<name>.bias".
struct Module {
    std::string name;             // {}: the block's number
    std::vector<Part> parts;
    Layout layout = Layout::rows;
    double added = 0;             // the decoder's value is the file's plus this (Gemma's norms)
};
std::string name_in_block(const Module& module, int block);
/// The shape in the file of a module's weight or bias; no sizes: it has none.
std::vector<std::int64_t> stored_shape(const Module& module, const DecoderConfig& config, bool bias);
/// For each row of the parts, one part after the other, which row (columns: column) of the file's tensor it is.
std::vector<std::int64_t> places_of_rows(const Module& module, const DecoderConfig& config);

struct Family {
    std::string_view name;                          // DecoderConfig::family
    std::vector<std::string_view> model_types;      // in config.json
    std::string_view gguf_architecture;             // empty: llama.cpp has none
    std::vector<Module> folder, gguf;               // names in a Hugging Face folder and in GGUF
    /// The model's sizes and choices; they throw Error naming key and value of what is not supported.
    void (*read_folder)(const HfConfig& file, DecoderConfig& config) = nullptr;
    void (*read_gguf)(const GgufFile& file, DecoderConfig& config) = nullptr;
    /// Ends of names in files that hold no weights of the decoder, such as tables of masks.
    std::vector<std::string_view> ignored;
};

const std::vector<Family>& families();
const Family& family_of(const DecoderConfig& config);
/// nullptr: a part without a tensor there.
const Module* find_module(const std::vector<Module>& modules, Part part);

/// The linear layers of a block under the family's names in a folder, as adapters address them, in the order of the
/// block's products.
struct LinearModule {
    const Module* module = nullptr;
    std::string label;               // the end of its name, as much as sets it apart: "q_proj", "mlp.c_proj"
    int product = 0;                 // BlockProduct
    std::int64_t column = 0;         // the first of the product's outputs that is its own
    std::int64_t in = 0, out = 0;
};
std::vector<LinearModule> linear_modules(const DecoderConfig& config);

}  // namespace plumbline
