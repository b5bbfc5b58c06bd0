#pragma once
// One window a project: an advisory lock on NAME.plumb-lock.

#include <filesystem>

namespace plumbline {

/// Holds the lock of a project file from construction to destruction. The system drops it when the process
/// ends in any way, so a killed program leaves at most an empty lock file. The project file itself is never
/// opened: closing a second descriptor of it would drop SQLite's own locks.
class FileLock {
  public:
    /// Throws Error "<operation>: <file>: …" when another holder has it or the folder is not writable.
    FileLock(const std::filesystem::path& project, const char* operation);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

  private:
    std::filesystem::path path_;
    int descriptor_ = -1;
};

}  // namespace plumbline
