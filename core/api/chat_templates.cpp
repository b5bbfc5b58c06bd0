#include "core/api/chat_templates.h"

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/formats/model_files.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

namespace plumbline {

ModelTemplate read_model_template(const std::string& model) {
    const ModelFiles files(resolve_model(model));
    const auto tokenizer = files.tokenizer();
    const SpecialTexts specials = special_texts_of(*tokenizer);
    ModelTemplate out{files.chat_template(), specials.bos, specials.eos, specials.pad, {}};
    for (int id = 0; id < tokenizer->vocab_size(); ++id) {
        if (tokenizer->is_special(id) && !tokenizer->bytes_of(id).empty()) {
            out.special_tokens.emplace_back(tokenizer->bytes_of(id));
        }
    }
    return out;
}

WrittenDialogue write_dialogue(const std::string& jinja, const ModelTemplate& model,
                               const std::vector<Message>& dialogue) {
    const ChatTemplate chat(jinja, {model.bos, model.eos, model.pad});
    WrittenDialogue out{"", chat.name(), chat.note(), chat.failure(), chat.failure_line()};
    try {
        out.text = chat.render(dialogue);
    } catch (const Error& error) {
        out.failure = std::string("does not write this dialogue (") + error.what() + ")";
    }
    return out;
}

}  // namespace plumbline
