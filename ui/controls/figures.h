#pragma once
// Numbers as people read them.

#include <QString>

#include <cstdint>

#include "core/api/algorithms.h"

namespace plumbline::ui {

/// "RLOO".
QString title_of(Algorithm algorithm);
/// "RLOO: reward minus the mean of the prompt's other samples (2402.14740 eq. 7)".
QString words_for(Algorithm algorithm);

/// "+1.31", "−0.84"; two decimals, a true minus.
QString signed_number(double value);
/// "1 token", "4 tokens".
QString counted(std::int64_t count, const QString& one, const QString& many);
/// "1.9", in units of 2^30 bytes.
QString gigabytes(std::int64_t bytes);
/// "3 kB", "538 MB", "1.9 GB".
QString memory_size(std::int64_t bytes);
/// "134.5 M", "1.7 B".
QString parameter_count(std::int64_t parameters);
/// "14:32:08" in local time.
QString clock_time(double unix_seconds);

}  // namespace plumbline::ui
