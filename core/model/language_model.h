#pragma once
// An opened model: backbone, tokenizer, chat template.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/api/events.h"
#include "core/api/offline.h"
#include "core/model/decoder.h"
#include "core/model/pulse.h"
#include "core/text/chat_template.h"
#include "core/text/reply_ends.h"
#include "core/text/tokenizer.h"

namespace plumbline {

class ModelFiles;

/// What a model is called when its path is all that is known.
std::string model_name(const std::filesystem::path& path);
/// What `info` tells; reads metadata only (sha256 stays empty).
ModelInfo describe_model(const ModelFiles& files, const std::string& name, Precision precision,
                         const ChatTemplate& chat_template);

/// Constant after construction.
class LanguageModel {
  public:
    /// `progress` gets 0..1 while weights are read and packed. They are read on the CPU and then live on `device`.
    static std::unique_ptr<LanguageModel> open(const std::string& name_or_path, Precision precision,
                                               const Pulse& pulse, const std::function<void(double)>& progress,
                                               at::Device device = at::kCPU);

    const Decoder& decoder() const { return *decoder_; }
    const Tokenizer& tokenizer() const { return *tokenizer_; }
    const ChatTemplate& chat_template() const { return chat_template_; }
    const ModelInfo& info() const { return info_; }
    const ReplyEnds& ends() const { return ends_; }

    /// The same model with a template of a person's own, Jinja text. Throws Error when it does not work.
    std::shared_ptr<const LanguageModel> with_chat_template(const std::string& jinja) const;

    /// A user's prompt as the model expects it: through the chat template with the system prompt (empty: the
    /// template's own default), or as plain text when the model has none.
    std::vector<int> chat_prompt(const std::string& system_prompt, const std::string& user) const;
    std::vector<int> render(const std::vector<Message>& messages) const;
    /// Plain text, with BOS where the model wants one and the text does not begin with it.
    std::vector<int> plain_prompt(const std::string& text) const;
    /// Throws Error when prompt and reply do not fit the context.
    void require_room(std::size_t prompt_tokens, int reply_tokens) const;

  private:
    LanguageModel(ModelInfo info, std::shared_ptr<const Decoder> decoder, std::shared_ptr<const Tokenizer> tokenizer,
                  ChatTemplate chat_template);
    ModelInfo info_;
    std::shared_ptr<const Decoder> decoder_;
    std::shared_ptr<const Tokenizer> tokenizer_;
    ChatTemplate chat_template_;
    ReplyEnds ends_;
};

Precision precision_of(const std::string& dtype);   // "f32", "bf16"; throws ConfigError

}  // namespace plumbline
