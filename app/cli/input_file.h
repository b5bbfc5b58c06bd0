#pragma once
// Input files of commands; `-` is standard input.

#include <filesystem>
#include <string>
#include <vector>

#include "core/api/offline.h"

namespace plumbline::cli {

/// A file as the lab's readers want it: one that can be read again. What stands on standard input is kept
/// in memory.
class InputFile {
  public:
    /// Throws Error when `name` is "-" and standard input cannot be read.
    explicit InputFile(const std::string& name);
    ~InputFile();
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
    int memory_ = -1;  // file descriptor of the copy of standard input
};

/// JSON lines of `name`, as read_score_requests and read_texts have them.
std::vector<ScoreRequest> score_requests(const std::string& name);
std::vector<std::string> json_texts(const std::string& name);

/// Prompts of a file, as read_prompt_texts has them.
std::vector<std::string> prompts_of_file(const std::string& name);

/// The whole file as it is; `operation` begins the errors: none can be read, it is empty, or over 1 MiB.
std::string text_of_file(const std::string& operation, const std::string& name);

}  // namespace plumbline::cli
