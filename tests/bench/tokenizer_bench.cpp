// How fast a tokenizer reads a text, on one core:
//
//     tokenizer_bench MODEL FILE…
//
// MODEL is a .gguf file, a tokenizer.json or its folder. For each file: the best of five, in MB/s, whole and line by
// line, and whether decoding gives the text back; then a run of one letter, which must take no quadratic time.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "core/formats/gguf.h"
#include "core/text/tokenizer.h"

namespace {

using namespace plumbline;

std::shared_ptr<const Tokenizer> open(const std::filesystem::path& path) {
    return path.extension() == ".gguf" ? Tokenizer::from_gguf(GgufFile(path)) : Tokenizer::from_json(path);
}

double seconds(auto work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double best_of_five(auto work) {
    double best = seconds(work);
    for (int i = 0; i < 4; ++i) best = std::min(best, seconds(work));
    return best;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return std::fprintf(stderr, "usage: tokenizer_bench MODEL FILE…\n"), 2;
    std::shared_ptr<const Tokenizer> tokenizer;
    std::printf("open %.3f s\n", seconds([&] { tokenizer = open(argv[1]); }));
    const auto encode = [&](const std::string& text) { return tokenizer->encode(text, SpecialTokens::parse); };
    for (int i = 2; i < argc; ++i) {
        std::stringstream content;
        content << std::ifstream(argv[i], std::ios::binary).rdbuf();
        const std::string text = content.str();
        const double megabytes = static_cast<double>(text.size()) / 1e6;
        std::vector<int> ids;
        const double whole = best_of_five([&] { ids = encode(text); });
        const double lines = best_of_five([&] {
            std::istringstream stream(text);
            for (std::string line; std::getline(stream, line);) encode(line);
        });
        std::printf("%s: %.2f MB, %zu tokens, %.2f MB/s whole, %.2f MB/s by line, round trip %s\n", argv[i],
                    megabytes, ids.size(), megabytes / whole, megabytes / lines,
                    tokenizer->decode(ids) == text ? "equal" : "differs");
    }
    for (const std::size_t length : {1u << 18, 1u << 20}) {
        const std::string run(length, 'a');
        std::printf("%zu letters a: %.3f s\n", length, best_of_five([&] { encode(run); }));
    }
    return 0;
}
