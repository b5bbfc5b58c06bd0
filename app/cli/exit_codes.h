#pragma once
// What the program answers to the shell.

namespace plumbline::cli {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;         // one line on stderr says why
inline constexpr int exit_usage = 2;          // wrong command, option, key or value
inline constexpr int exit_interrupted = 130;  // Ctrl+C

}  // namespace plumbline::cli
