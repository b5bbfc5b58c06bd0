#include "core/formats/messages.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace plumbline {

using nlohmann::json;

const json& member(const json& row, const char* field) {
    const auto found = row.find(field);
    if (found == row.end() || found->is_null()) throw RowError(std::string(field) + " is missing");
    return *found;
}

std::string text_of(const json& value, const std::string& field) {
    if (!value.is_string()) throw RowError(field + " is not a text");
    return value.get<std::string>();
}

std::vector<Message> messages_of(const json& value, const std::string& field) {
    if (!value.is_array()) throw RowError(field + " is not a list of messages");
    if (value.empty()) throw RowError(field + " has no messages");
    std::vector<Message> out;
    for (const json& message : value) {
        const std::string place = "message " + std::to_string(out.size() + 1) + " of " + field;
        if (!message.is_object()) throw RowError(place + " is not an object with role and content");
        out.push_back({text_of(message.value("role", json()), "the role in " + place),
                       text_of(message.value("content", json()), "the content in " + place)});
        if (out.back().role.empty()) throw RowError("the role in " + place + " is empty");
    }
    return out;
}

std::vector<int> ids_of(const json& value, const std::string& field) {
    if (!value.is_array()) throw RowError(field + " is not a list of token ids");
    std::vector<int> out;
    out.reserve(value.size());
    for (const json& id : value) {
        if (!id.is_number_integer() || id < 0 || id > std::numeric_limits<int>::max()) {
            throw RowError(field + " holds " + id.dump(-1, ' ', false, json::error_handler_t::replace) +
                           ", which is not a token id");
        }
        out.push_back(id.get<int>());
    }
    return out;
}

}  // namespace plumbline
