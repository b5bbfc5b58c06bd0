#pragma once
// Events in words, for the log.

#include <QString>
#include <optional>

#include "core/api/events.h"

namespace plumbline::ui {

struct LogLine {
    QString source;  // "vote", "reward", "policy", "sample", "session", "job"
    QString text;
    bool warning = false;
};

/// Nothing for events that come by the hundred (tokens, progress, metrics). Pure.
std::optional<LogLine> in_words(const plumbline::EventBody& event);

}  // namespace plumbline::ui
