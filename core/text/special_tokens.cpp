#include "core/text/special_tokens.h"

#include <algorithm>

namespace plumbline {

void TokenTexts::add(std::string text, int id) {
    auto& entries = by_first_byte_[static_cast<unsigned char>(text.at(0))];
    const auto place = std::find_if(entries.begin(), entries.end(),
                                    [&](const Entry& entry) { return entry.text.size() < text.size(); });
    entries.insert(place, {std::move(text), id});
}

TokenTexts::Found TokenTexts::find(std::string_view text, std::size_t from) const {
    for (std::size_t at = from; at < text.size(); ++at) {
        for (const Entry& entry : by_first_byte_[static_cast<unsigned char>(text[at])]) {
            if (text.compare(at, entry.text.size(), entry.text) == 0)
                return {at, entry.text.size(), entry.id};
        }
    }
    return {};
}

}  // namespace plumbline
