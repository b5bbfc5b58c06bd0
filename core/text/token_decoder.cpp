#include "core/text/token_decoder.h"

#include "core/text/byte_alphabet.h"

namespace plumbline {
namespace {

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct Decoding {
    std::string token;
    bool added = false;
    bool done = false;  // bytes, of which no later step makes anything

    void operator()(const BytesOfAlphabetStep&) {
        if (added) return;
        if (auto bytes = bytes_behind(token)) {
            token = std::move(*bytes);
            done = true;
        }
    }
    void operator()(const BytesOfNamesStep&) {
        if (const int byte = byte_of_name(token); byte >= 0) {
            token.assign(1, static_cast<char>(byte));
            done = true;
        }
    }
    void operator()(const ReplaceStep& step) { token = Normalizer({step}).apply(std::move(token)); }
    void operator()(const StripTokenStep& step) {
        if (step.character.empty()) return;
        for (std::size_t i = 0; i < step.start && token.starts_with(step.character); ++i)
            token.erase(0, step.character.size());
        for (std::size_t i = 0; i < step.stop && token.ends_with(step.character); ++i)
            token.erase(token.size() - step.character.size());
    }
};

}  // namespace

int byte_of_name(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return -1;
    const int high = digit_of(token[3]), low = digit_of(token[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string TokenDecoder::bytes_of(std::string token, bool added) const {
    Decoding decoding{std::move(token), added};
    for (const TokenDecoderStep& step : steps) {
        if (!decoding.done) std::visit(decoding, step);
    }
    return std::move(decoding.token);
}

}  // namespace plumbline
