#pragma once
// Chat templates for whoever looks at them or writes one: a model's own, and what one makes of a dialogue.

#include <string>
#include <vector>

#include "core/api/offline.h"

namespace plumbline {

/// Of a template's name in ModelInfo and elsewhere: there is none that works.
inline bool writes_plain_text(const std::string& chat_template) {
    return chat_template == "none";
}

/// What a model's files say of how dialogues are written. No weights are read.
struct ModelTemplate {
    std::string jinja;                         // its own template; empty: it has none
    std::string bos, eos, pad;                 // what a template may write by name; empty: the model has no such token
    std::vector<std::string> special_tokens;   // each is one token where it stands in a written dialogue
};
ModelTemplate read_model_template(const std::string& model);

/// What became of a dialogue.
struct WrittenDialogue {
    std::string text;      // ready for the reply; plain, one message a line, where the template does not work
    std::string name;      // of the template, as in ModelInfo: "chatml" …; "none": plain text
    std::string note;      // what a person should know of it
    std::string failure;   // why the template, or this dialogue with it, does not work; empty: it does
    int line = 0;          // of the failure; 0: not known
};
WrittenDialogue write_dialogue(const std::string& jinja, const ModelTemplate& model,
                               const std::vector<Message>& dialogue);

}  // namespace plumbline
