#pragma once
// A model on disk, whichever way it was saved: a GGUF file or a Hugging Face folder (config.json, *.safetensors,
// tokenizer.json). Its sizes, and its tensors in the decoder's own order, whatever the family calls and lays them.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/gguf.h"
#include "core/formats/stored_rows.h"
#include "core/formats/weight_shards.h"
#include "core/model/decoder_config.h"
#include "core/model/families/family.h"

namespace plumbline {

class Tokenizer;

/// Checked whole on opening: every tensor that the family has is there in its shape, and no other. Immutable; tensor
/// data stays in maps. Every error is an Error "open model: <file>: …" that names the place.
class ModelFiles {
  public:
    explicit ModelFiles(const std::filesystem::path& path);

    const DecoderConfig& config() const { return config_; }
    const Family& family() const { return family_of(config_); }
    const std::filesystem::path& path() const { return path_; }
    /// nullptr: a folder.
    const GgufFile* gguf() const { return gguf_.get(); }
    /// Of the files with weights.
    std::int64_t bytes() const;
    /// SHA-256 of the file, or over the names and hashes of a folder's.
    std::string identity() const;

    std::string title() const;           // as its maker named it, or the file's name
    std::string licence() const;         // empty: not known
    std::string chat_template() const;   // Jinja; empty: none
    std::string_view main_type() const;  // "Q4_1": that most weights are stored in
    std::shared_ptr<const Tokenizer> tokenizer() const;

    /// The tensor of the file that holds it, as it is stored there; throws Error when the model has no such part.
    const GgufTensor& stored(const TensorId& id) const;
    /// Where a GGUF file has the rows of a matrix; nullopt: in a folder, or on its side.
    std::optional<StoredRows> stored_rows(const TensorId& id) const;
    /// Rows from `first` on as f32, as many as `out` has room for. Throws Error for what is not finite.
    void read(const TensorId& id, std::int64_t first, std::span<float> out) const;

  private:
    void read_folder();
    void read_gguf();
    void find_prefix(const std::vector<Module>& modules);
    void check_positions() const;
    void check_tensors() const;
    std::int64_t first_row(const TensorId& id) const;
    const std::vector<Module>& modules() const { return gguf_ ? family().gguf : family().folder; }
    std::string file_name(const std::string& name) const;   // of a tensor that the family calls so
    [[noreturn]] void fail(const std::string& what) const;

    std::filesystem::path path_;
    std::unique_ptr<GgufFile> gguf_;
    std::unique_ptr<WeightShards> shards_;
    DecoderConfig config_;
    std::map<std::string, const GgufTensor*, std::less<>> tensors_;
    std::string usual_prefix_, prefix_;   // what the folder has in the place of "model." and the like
};

/// The tokenizer of a model whose weights need not be there.
std::shared_ptr<const Tokenizer> read_tokenizer(const std::filesystem::path& model);

}  // namespace plumbline
