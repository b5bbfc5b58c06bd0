#include "core/lab/same_model.h"

#include <span>

#include "core/api/errors.h"
#include "core/formats/sha256.h"

namespace plumbline {

namespace {

constexpr const char *tokens_key = "model_tokens", *dialogues_key = "model_dialogues";

std::string hash_of(const std::string& text) { return sha256(std::as_bytes(std::span(text))); }

std::string hash_of_tokens(const Tokenizer& tokenizer) {
    std::string all;
    for (int id = 0; id < tokenizer.vocab_size(); ++id) {
        const auto bytes = tokenizer.bytes_of(id);
        all += std::to_string(bytes.size()) + " ";
        all += bytes;
    }
    return hash_of(all);
}

/// Over what the template makes of dialogues: two spellings that do the same are the same.
std::string hash_of_dialogues(const ChatTemplate& chat_template) {
    const Message system{"system", "Be brief."}, user{"user", "Why?"}, reply{"assistant", "So."};
    std::string all;
    for (const std::vector<Message>& dialogue :
         {std::vector{user}, std::vector{system, user}, std::vector{system, user, reply, user}}) {
        try {
            all += chat_template.render(dialogue);
        } catch (const Error&) {
            all += "refused";
        }
        all += '\0';
    }
    return hash_of(all);
}

}  // namespace

void note_model(ProjectFile& made, const LanguageModel& model) {
    made.set_setting(tokens_key, hash_of_tokens(model.tokenizer()));
    made.set_setting(dialogues_key, hash_of_dialogues(model.chat_template()));
}

void require_same_model(const char* operation, const ProjectFile& project, const LanguageModel& model) {
    const ModelInfo stored = project.model(), &now = model.info();
    const auto changed = [&](const char* key, const std::string& hash) {
        return project.setting(key).value_or(hash) != hash;   // projects of earlier versions have none
    };
    const auto refuse = [&](const std::string& what) {
        throw Error(operation, "its model " + now.path + " " + what);
    };
    const char* advice = "; put the former files back, or start a new session with it";
    if (changed(tokens_key, hash_of_tokens(model.tokenizer()))) {
        refuse(std::string("has other tokens than the project's replies") + advice);
    }
    // One that a person gave to the session is kept with the project.
    if (project.config().chat_template.empty() && changed(dialogues_key, hash_of_dialogues(model.chat_template()))) {
        refuse(std::string("has another chat template than the one that the project's replies answer to") + advice);
    }
    if (now.sha256 != stored.sha256) {
        refuse("has changed (SHA-256 " + now.sha256.substr(0, 12) + "…, the project was made with " +
               stored.sha256.substr(0, 12) + "…); locate the original file");
    }
}

}  // namespace plumbline
