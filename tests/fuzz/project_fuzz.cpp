// A project file with changed bytes. The input is a list of changes to a sound one: three bytes of place, one of
// length, and the new bytes.

#include "core/store/project_file.h"
#include "tests/fuzz/fuzzing.h"
#include "tests/store/sample_project.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/temp_folder.h"

using namespace plumbline;

namespace {

std::string changed(std::string bytes, std::string_view changes) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(changes[i]); };
    while (changes.size() > 4) {
        const std::size_t place = (byte(0) | byte(1) << 8 | byte(2) << 16) % bytes.size();
        const std::size_t length = std::min({std::size_t{byte(3)}, changes.size() - 4, bytes.size() - place});
        bytes.replace(place, length, changes.substr(4, length));
        changes.remove_prefix(4 + length);
    }
    return bytes;
}

void read_everything(const std::filesystem::path& path) {
    const auto file = ProjectFile::open(path);
    fuzzing::accepts([&] { file->model(); });
    fuzzing::accepts([&] { file->config(); });
    fuzzing::accepts([&] { file->all_prompts(); });
    fuzzing::accepts([&] { file->generations(); });
    fuzzing::accepts([&] { file->unlabelled_generations(); });
    fuzzing::accepts([&] { file->labels(); });
    fuzzing::accepts([&] { file->events(); });
    fuzzing::accepts([&] { file->metrics(); });
    fuzzing::accepts([&] { file->latest(); });
    fuzzing::accepts([&] { file->undo_state(3); });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::string sound = [] {
        const testing::TempFolder folder;
        return testing::read_whole(testing::filled_project(folder.path()));
    }();
    const auto path = fuzzing::file_of("session.plumb", changed(sound, fuzzing::text_of(data, size)));
    fuzzing::accepts([&] { find_problems(path); });
    fuzzing::accepts([&] { read_everything(path); });
    for (const char* beside : {"-wal", "-shm", "-lock"}) std::filesystem::remove(path.string() + beside);
    return 0;
}
