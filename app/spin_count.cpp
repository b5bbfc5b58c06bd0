// GNU OpenMP lets an idle thread spin for a few milliseconds before it sleeps. On a machine with anything else to do
// that takes the processor from the very thread it waits for, and sampling becomes many times slower; a shorter spin
// costs next to nothing on an idle machine. The library reads its environment once, as it is loaded. So the program
// starts itself again with the setting, from .preinit_array: before any library's start-up code has run, and so at the
// cost of one more round of the dynamic linker.

#include <unistd.h>

#include <cstring>

namespace {

constexpr std::size_t most_variables = 4096;
char setting[] = "GOMP_SPINCOUNT=4000";

void prefer_short_spins(int, char** arguments, char** environment) {
    static char* extended[most_variables + 2];   // nothing is initialised yet: no heap, no C++ library
    std::size_t count = 0;
    for (; environment[count]; ++count) {
        const char* variable = environment[count];
        if (count == most_variables || std::strncmp(variable, "GOMP_SPINCOUNT=", 15) == 0 ||
            std::strncmp(variable, "OMP_WAIT_POLICY=", 16) == 0) {
            return;   // the user has chosen, or this is the second start
        }
        extended[count] = environment[count];
    }
    extended[count] = setting;
    static char program[4096];   // its own path, so that the process keeps its name
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0 && length < static_cast<ssize_t>(sizeof program) - 1) {
        execve(program, arguments, extended);   // on failure the program goes on as it is
    }
}

using Start = void (*)(int, char**, char**);
__attribute__((section(".preinit_array"), used)) const Start start = prefer_short_spins;

}  // namespace
