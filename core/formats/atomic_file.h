#pragma once
// Output files appear whole or not at all.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// A new file beside `path` that takes its place once it is whole, and is gone again otherwise. Every error is an Error
/// "<operation>: <path>: …"; what stood at `path` is then as it was.
class AtomicFile {
  public:
    AtomicFile(const std::filesystem::path& path, const std::string& operation);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::string_view part);
    /// Waits for the disk and renames the file to `path`.
    void put_in_place();

  private:
    [[noreturn]] void fail(int code) const;
    void sync_folder() const;

    std::filesystem::path target_, path_;
    std::string operation_;
    int fd_ = -1;
    bool renamed_ = false;
};

/// `parts` one after the other as the file at `path`.
void write_atomically(const std::filesystem::path& path, const std::vector<std::string_view>& parts,
                      const std::string& operation);

}  // namespace plumbline
