#pragma once
// Messages to the text that a chat model was trained on.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/offline.h"

namespace plumbline {

namespace jinja {
class JinjaTemplate;
}
class Tokenizer;

/// What a template may write by name; empty: the model has no such token.
struct SpecialTexts {
    std::string bos, eos, pad;
};
SpecialTexts special_texts_of(const Tokenizer& tokenizer);

/// A model's Jinja template, or plain text, one message a line, where there is none or it does not work; note() says
/// so. Immutable. What a template asks for besides the messages is fixed, so that a dialogue has one text: no tools,
/// the date 26 July 2024, and no thinking aloud before the reply (enable_thinking is false).
class ChatTemplate {
  public:
    /// From a model file's or a person's text; empty: none.
    explicit ChatTemplate(std::string_view jinja, SpecialTexts specials = {});

    /// The dialogue, ready for the assistant's reply ("generation prompt"). Special tokens stand as text, BOS too where
    /// the template writes it. A system message that the template refuses stands in front of the first user message.
    /// Throws Error for a dialogue that the template refuses, such as two user messages in a row.
    std::string render(const std::vector<Message>& messages) const;

    bool is_plain() const { return !template_; }
    /// The family that the marks around messages show: "chatml", "llama-3" …; "turns": any marks of its own around
    /// each message; "jinja": another; "none": plain text.
    const std::string& name() const { return name_; }
    const std::string& note() const { return note_; }         // not empty: what a person should know
    /// What the template writes behind a dialogue's last reply, without spaces in front; empty: nothing, or not known.
    const std::string& after_reply() const { return after_reply_; }
    const std::string& failure() const { return failure_; }   // why a given template does not work; empty: it does
    int failure_line() const { return failure_line_; }        // of the template; 0: not known

  private:
    struct Setting {
        bool thinks = false;
        bool opens_reply = true;
        /// Llama 3.1's own default.
        std::chrono::year_month_day today{std::chrono::year{2024}, std::chrono::July, std::chrono::day{26}};
    };
    std::string rendered(const std::vector<Message>& messages, const Setting& setting) const;
    std::optional<std::string> try_rendering(const std::vector<Message>& messages, const Setting& setting) const;
    void fall_back(const std::string& why, int line = 0);
    void probe();

    SpecialTexts specials_;
    std::string name_ = "none", note_, failure_, after_reply_;
    int failure_line_ = 0;
    std::shared_ptr<const jinja::JinjaTemplate> template_;
    bool takes_system_ = true;
};

/// The template with the texts of a model's tokens.
ChatTemplate chat_template_of(const std::string& jinja, const Tokenizer& tokenizer);

}   // namespace plumbline
