#include "core/model/language_model.h"

#include <future>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/formats/model_files.h"
#include "core/lab/memory_need.h"
#include "core/model/processor.h"
#include "core/model/read_decoder.h"

namespace plumbline {

Precision precision_of(const std::string& dtype) {
    if (dtype == "f32") {
        return Precision::f32;
    }
    if (dtype == "bf16") {
        return Precision::bf16;
    }
    throw ConfigError("settings", "dtype '" + dtype + "' is not known; choose f32 or bf16");
}

std::string model_name(const std::filesystem::path& path) {
    // A folder's name may have a dot in it: "Qwen2.5-0.5B".
    return std::filesystem::is_directory(path) ? std::filesystem::absolute(path / ".").parent_path().filename().string()
                                               : path.stem().string();
}

ModelInfo describe_model(const ModelFiles& files, const std::string& name, Precision precision,
                         const ChatTemplate& chat_template) {
    const DecoderConfig& c = files.config();
    ModelInfo info;
    info.name = name;
    info.path = std::filesystem::absolute(files.path()).string();   // a project is opened from other folders too
    info.architecture = c.family;
    info.parameters = c.parameters();
    info.layers = c.blocks;
    info.hidden = static_cast<int>(c.hidden);
    info.heads = static_cast<int>(c.heads);
    info.kv_heads = static_cast<int>(c.kv_heads);
    info.vocab = static_cast<int>(c.vocab);
    info.context = static_cast<int>(c.context);
    info.dtype = precision == Precision::bf16 ? "bf16" : "f32";
    info.file_dtype = files.main_type();
    info.chat_template = chat_template.name();
    info.chat_template_note = chat_template.note();
    info.memory_bytes = memory::session_estimate(c.parameters(), c.vocab * c.hidden, precision, has_tiles());
    return info;
}

std::unique_ptr<LanguageModel> LanguageModel::open(const std::string& name_or_path, Precision precision,
                                                   const Pulse& pulse, const std::function<void(double)>& progress,
                                                   at::Device device) {
    const std::filesystem::path path = resolve_model(name_or_path);
    const ModelFiles files(path);
    auto tokenizer = files.tokenizer();
    if (tokenizer->vocab_size() > files.config().vocab) {   // fewer: rows that fill the embedding up
        throw Error("open model", path.filename().string() + ": the tokenizer has " +
                                      std::to_string(tokenizer->vocab_size()) + " tokens, the embedding " +
                                      std::to_string(files.config().vocab) + "; the file is damaged");
    }
    // The file's identity, on another thread while the weights are packed.
    auto identity = std::async(std::launch::async, [&files] { return files.identity(); });
    auto decoder = read_decoder(files, precision, pulse, progress, device);
    const std::string name = std::filesystem::exists(name_or_path) ? model_name(path) : name_or_path;
    ChatTemplate chat_template = chat_template_of(files.chat_template(), *tokenizer);
    ModelInfo info = describe_model(files, name, precision, chat_template);
    info.sha256 = identity.get();
    return std::unique_ptr<LanguageModel>(
        new LanguageModel(std::move(info), std::move(decoder), std::move(tokenizer), std::move(chat_template)));
}

LanguageModel::LanguageModel(ModelInfo info, std::shared_ptr<const Decoder> decoder,
                             std::shared_ptr<const Tokenizer> tokenizer, ChatTemplate chat_template)
    : info_(std::move(info)),
      decoder_(std::move(decoder)),
      tokenizer_(std::move(tokenizer)),
      chat_template_(std::move(chat_template)),
      ends_(reply_ends(*tokenizer_, chat_template_)) {}

std::shared_ptr<const LanguageModel> LanguageModel::with_chat_template(const std::string& jinja) const {
    ChatTemplate own = chat_template_of(jinja, *tokenizer_);
    if (own.is_plain()) {
        throw Error("set chat template", "it " + own.failure() + "; correct the template");
    }
    ModelInfo info = info_;
    info.chat_template = own.name();
    info.chat_template_note = own.note();
    return std::shared_ptr<const LanguageModel>(new LanguageModel(std::move(info), decoder_, tokenizer_, std::move(own)));
}

std::vector<int> LanguageModel::render(const std::vector<Message>& messages) const {
    const std::string text = chat_template_.render(messages);
    return chat_template_.is_plain() ? plain_prompt(text) : tokenizer_->encode(text, SpecialTokens::parse);
}

std::vector<int> LanguageModel::chat_prompt(const std::string& system_prompt, const std::string& user) const {
    std::vector<Message> messages;
    if (!system_prompt.empty()) {
        messages.push_back({"system", system_prompt});
    }
    messages.push_back({"user", user});
    return render(messages);
}

std::vector<int> LanguageModel::plain_prompt(const std::string& text) const {
    std::vector<int> ids = tokenizer_->encode(text, SpecialTokens::parse);
    if (tokenizer_->adds_bos() && tokenizer_->bos() >= 0 && (ids.empty() || ids.front() != tokenizer_->bos())) {
        ids.insert(ids.begin(), tokenizer_->bos());
    }
    if (ids.empty()) {
        throw Error("read prompt", "the prompt is empty; type some text");
    }
    return ids;
}

void LanguageModel::require_room(std::size_t prompt_tokens, int reply_tokens) const {
    const auto needed = static_cast<std::int64_t>(prompt_tokens) + reply_tokens;
    if (needed > decoder_->config().context) {
        throw Error("read prompt", "the prompt has " + std::to_string(prompt_tokens) + " tokens; with a reply of " +
                                       std::to_string(reply_tokens) + " that exceeds the model's context of " +
                                       std::to_string(decoder_->config().context) + "; shorten it");
    }
}

}  // namespace plumbline
