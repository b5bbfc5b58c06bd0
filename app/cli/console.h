#pragma once
// Where output goes: results to stdout, progress and notes to stderr.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/cli/progress.h"

namespace plumbline::cli {

using Json = nlohmann::ordered_json;  // fields stand in the order of the reference

struct OutputOptions {
    bool json = false;   // one object a line on stdout and nothing else there
    bool quiet = false;  // neither progress nor notes
};

/// One thread. Every line is on its way when the call returns, so that a reader can follow a long job.
class Console {
  public:
    explicit Console(const OutputOptions& options);

    bool json() const { return options_.json; }
    /// Whether text may appear while it is written: people at a terminal.
    bool streams() const;

    // Each throws Error when the text does not reach stdout: results that nobody can read end a long job.
    /// A result as JSON; numbers that are not finite become null, bytes that are not UTF-8 U+FFFD.
    void object(const Json& object);
    /// A line for people. Control characters are replaced.
    void line(const std::string& text);
    /// A part of a line for people.
    void part(const std::string& text);
    /// A line on stderr, not when quiet.
    void note(const std::string& text);
    void progress(double fraction, const std::string& what) { progress_.show(fraction, what); }
    void clear_progress() { progress_.clear(); }

  private:
    void write(const std::string& text);

    const OutputOptions options_;
    Progress progress_;
};

}  // namespace plumbline::cli
