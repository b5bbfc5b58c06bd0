#include "core/api/machine_memory.h"

#include <unistd.h>

#include <fstream>
#include <string>

namespace plumbline {

MachineMemory machine_memory() {
    MachineMemory memory;
    memory.total = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
    memory.available = memory.total;
    std::ifstream words("/proc/meminfo");
    for (std::string word; words >> word;) {
        std::int64_t kilobytes = 0;
        if (word == "MemAvailable:" && words >> kilobytes) {
            memory.available = kilobytes * 1024;
            break;
        }
    }
    return memory;
}

Fit fit(std::int64_t need, const MachineMemory& memory) {
    return need <= memory.available ? Fit::yes : need <= memory.total ? Fit::when_freed : Fit::no;
}

}  // namespace plumbline
