#include "core/formats/folder_export.h"

#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/formats/atomic_file.h"
#include "core/formats/folder_config.h"
#include "core/formats/json_file.h"
#include "core/formats/safetensors_writer.h"
#include "core/text/chat_template.h"
#include "core/text/reply_ends.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_files.h"

namespace plumbline {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* operation = "export";
constexpr std::size_t longest_config = 16u << 20;
/// What a folder's model says of itself besides weights and config.json.
constexpr std::array kept_files = {"generation_config.json",  "tokenizer.json",  "tokenizer_config.json",
                                   "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
                                   "chat_template.json",      "vocab.json",      "merges.txt",
                                   "tokenizer.model",         "LICENSE"};

/// A folder beside `target` that takes its place when it is whole, and is gone again otherwise.
class NewFolder {
  public:
    explicit NewFolder(const fs::path& target) : target_(fs::absolute(target / ".").parent_path()) {
        std::error_code error;
        if (fs::exists(target_, error) && !(fs::is_directory(target_) && fs::is_empty(target_))) {
            throw Error(operation, target.string() + " is there and not empty; choose a new folder");
        }
        if (target_.has_parent_path()) fs::create_directories(target_.parent_path(), error);
        path_ = target_;
        path_ += ".part" + std::to_string(::getpid());
        if (!fs::create_directory(path_, error)) {
            const std::string what = error ? error.message() : path_.string() + " is in the way";
            throw Error(operation, target.string() + ": " + what + "; choose a folder that can be written");
        }
    }
    ~NewFolder() {
        std::error_code ignored;
        if (!renamed_) fs::remove_all(path_, ignored);
    }
    NewFolder(const NewFolder&) = delete;
    NewFolder& operator=(const NewFolder&) = delete;

    const fs::path& path() const { return path_; }
    void put_in_place() {
        std::error_code error;
        fs::rename(path_, target_, error);
        if (error) throw Error(operation, target_.string() + ": " + error.message() + "; choose a new folder");
        renamed_ = true;
    }

  private:
    fs::path target_, path_;
    bool renamed_ = false;
};

const char* torch_name(GgufType type) {
    return type == GgufType::f32 ? "float32" : type == GgufType::f16 ? "float16" : "bfloat16";
}

void write_json(const fs::path& file, const json& value) {
    write_atomically(file, {value.dump(2) + "\n"}, operation);
}

void write_settings_of_folder(const ModelFiles& model, GgufType type, const fs::path& to) {
    const fs::path& from = model.path();
    json config = read_json_object(from / "config.json", operation, longest_config);
    if (config.contains("text_config")) {   // of a model with more senses, whose text part alone is written
        config = folder_config(model.config());
    }
    for (const char* key : {"dtype", "torch_dtype"}) {
        config[key] = torch_name(type);
    }
    write_json(to / "config.json", config);
    for (const char* name : kept_files) {
        if (fs::exists(from / name)) fs::copy_file(from / name, to / name);
    }
}

void write_settings_of_gguf(const ModelFiles& model, GgufType type, const fs::path& to) {
    const auto tokenizer = model.tokenizer();
    json config = folder_config(model.config()), generation = json::object();
    config["dtype"] = config["torch_dtype"] = torch_name(type);
    const auto add_id = [&](const char* key, int id) {
        if (id >= 0) config[key] = generation[key] = id;
    };
    add_id("bos_token_id", tokenizer->bos());
    add_id("eos_token_id", tokenizer->eos());
    add_id("pad_token_id", tokenizer->pad());
    write_json(to / "config.json", config);
    write_json(to / "generation_config.json", generation);
    const TokenizerFiles files = tokenizer_files(*model.gguf());
    write_atomically(to / "tokenizer.json", {files.tokenizer_json}, operation);
    write_atomically(to / "tokenizer_config.json", {files.tokenizer_config_json}, operation);
}

/// Where several tokens end a reply, all of them, for whoever generates with the folder.
void write_ends(const ModelFiles& model, const std::string& chat_template, const fs::path& to) {
    const auto tokenizer = model.tokenizer();
    const ReplyEnds ends = reply_ends(*tokenizer, chat_template_of(chat_template, *tokenizer));
    if (ends.ids.size() < 2) return;
    const fs::path file = to / "generation_config.json";
    json generation = fs::exists(file) ? read_json_object(file, operation, longest_config) : json::object();
    generation["eos_token_id"] = ends.ids;
    write_json(file, generation);
}

}  // namespace

WrittenModel write_folder(const ModelFiles& model, const WeightSource& source, GgufType type, const fs::path& out,
                          std::uint64_t shard_bytes, const std::function<void(double)>& before_each,
                          const std::string& chat_template) {
    NewFolder folder(out);
    if (model.gguf() != nullptr) {
        write_settings_of_gguf(model, type, folder.path());
    } else {
        write_settings_of_folder(model, type, folder.path());
    }
    if (!chat_template.empty()) {   // which comes before one of tokenizer_config.json
        write_atomically(folder.path() / "chat_template.jinja", {chat_template}, operation);
        write_ends(model, chat_template, folder.path());
    } else if (model.gguf() != nullptr) {
        write_ends(model, model.chat_template(), folder.path());
    }
    const std::vector<FileTensor> tensors = file_tensors(model.family().folder, model.config(), source);
    write_weights(folder.path(), tensors, type, shard_bytes, before_each);
    WrittenModel result;
    result.tensors = static_cast<std::int64_t>(tensors.size());
    for (const auto& entry : fs::directory_iterator(folder.path())) result.bytes += entry.file_size();
    folder.put_in_place();
    return result;
}

}  // namespace plumbline
