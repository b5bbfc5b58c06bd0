#pragma once
// A folder for a project that nobody keeps: a simulated, replayed or measured session.

#include <filesystem>

namespace plumbline {

/// Gone with all that is in it at destruction: declare it before the engine or session that uses it.
class TemporaryFolder {
  public:
    /// Throws Error that begins with `operation` when the temporary place is not writable.
    explicit TemporaryFolder(const char* operation);
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace plumbline
