#include "core/lab/machine.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "core/api/errors.h"
#include "core/api/machine_memory.h"

namespace plumbline {

namespace {

// The number of kilobytes after `key`, in bytes; empty when there is none.
std::optional<std::int64_t> figure(const char* file, const std::string& key) {
    std::ifstream words(file);
    for (std::string word; words >> word;) {
        std::int64_t kilobytes = 0;
        if (word == key && words >> kilobytes) {
            return kilobytes * 1024;
        }
    }
    return std::nullopt;
}

}  // namespace

std::int64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::int64_t size = 0, resident = 0;
    statm >> size >> resident;
    return resident * sysconf(_SC_PAGESIZE);
}

std::int64_t peak_bytes() { return figure("/proc/self/status", "VmHWM:").value_or(resident_bytes()); }

std::int64_t available_bytes() { return machine_memory().available; }

std::int64_t memory_bytes() { return machine_memory().total; }

int physical_cores() {
    std::ifstream info("/proc/cpuinfo");
    std::set<std::pair<std::string, std::string>> cores;
    std::string line, package;
    while (std::getline(info, line)) {
        const std::string value = line.substr(std::min(line.size(), line.find(':') + 1));
        if (line.starts_with("physical id")) {
            package = value;
        } else if (line.starts_with("core id")) {
            cores.emplace(package, value);
        }
    }
    const auto available = static_cast<int>(std::thread::hardware_concurrency());
    const auto found = static_cast<int>(cores.size());
    return std::max(1, found > 0 ? std::min(found, std::max(1, available)) : available);
}

int use_threads(int threads) {
    const int count = threads > 0 ? threads : physical_cores();
    at::set_num_threads(count);
    return count;
}

}  // namespace plumbline
