#pragma once
// An advisory lock on NAME-lock: one window a project, one program at a time that changes a list.

#include <filesystem>

namespace plumbline {

enum class Busy { fails, waits };   // while another holder has the lock

/// Holds the lock of a file from construction to destruction. The system drops it when the process
/// ends in any way, so a killed program leaves at most an empty lock file. The file itself is never
/// opened: closing a second descriptor of it would drop SQLite's own locks.
class FileLock {
  public:
    /// Throws Error "<operation>: <file>: …" when another holder has it or the folder is not writable.
    FileLock(const std::filesystem::path& file, const char* operation, Busy busy = Busy::fails);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

  private:
    std::filesystem::path path_;
    int descriptor_ = -1;
};

}  // namespace plumbline
