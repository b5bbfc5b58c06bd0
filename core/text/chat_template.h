#pragma once
// Messages to the text that a chat model was trained on.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/offline.h"

namespace plumbline {

/// Immutable. Recognised families only: ChatML with or without a default system text, and marked turns (a text of their
/// own before and after a user's and an assistant's message, other roles left out). A template that has ChatML's marks
/// and does more is rendered as ChatML and says so; any other falls back to plain text, one message a line, and says
/// so.
class ChatTemplate {
  public:
    /// From a model file's Jinja template; empty: none.
    explicit ChatTemplate(std::string_view jinja);

    /// The dialogue, ready for the assistant's reply ("generation prompt"). Special tokens stand as text.
    std::string render(const std::vector<Message>& messages) const;

    const std::string& name() const { return name_; }   // "chatml", "turns", "none"
    const std::string& note() const { return note_; }   // not empty: what was not understood

    /// Of a template with marked turns.
    struct Turns {
        std::string before_user, after_user, before_reply, after_reply;
    };

  private:
    std::string name_ = "none", note_;
    std::optional<std::string> default_system_;   // stands first when no system message does
    std::optional<Turns> turns_;
};

}  // namespace plumbline
