#include "core/api/own_models.h"

#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/formats/atomic_file.h"
#include "core/formats/json_object.h"
#include "core/formats/messages.h"
#include "core/formats/text_parts.h"

namespace plumbline {
namespace {

constexpr const char* operation = "list models";
constexpr std::uintmax_t longest_list = 4u << 20;

}  // namespace

std::vector<OwnModel> read_own_models(const std::filesystem::path& list) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(list, error);
    if (error == std::errc::no_such_file_or_directory) {
        return {};
    }
    const auto fail = [&](const std::string& what) {
        throw Error(operation, list.string() + ": " + what + "; mend the file or remove it");
    };
    if (!error && size > longest_list) {
        fail("is too large to be a list of models");
    }
    std::string text_of_list;
    for_each_part(list, operation, [&](std::string_view part, double) { text_of_list += part; });
    nlohmann::json read;
    try {
        read = object_of(text_of_list);
    } catch (const RowError&) {
        read = nlohmann::json::object();
    }
    const auto models = read.find("models");
    if (models == read.end() || !models->is_array()) {
        fail("is not {\"models\": […]}");
    }
    std::vector<OwnModel> out;
    for (const nlohmann::json& each : *models) {
        const auto text = [&](const char* key) {
            const auto found = each.is_object() ? each.find(key) : each.end();
            if (!each.is_object() || found == each.end() || !found->is_string()) {
                fail("entry " + std::to_string(out.size() + 1) + " has no \"" + key + "\"");
            }
            return found->get<std::string>();
        };
        out.push_back({text("name"), text("path")});
    }
    return out;
}

void write_own_models(const std::filesystem::path& list, const std::vector<OwnModel>& models) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const OwnModel& model : models) {
        rows.push_back({{"name", model.name}, {"path", model.path.string()}});
    }
    const nlohmann::ordered_json whole = {{"models", rows}};
    std::string text;
    try {
        text = whole.dump(1);
    } catch (const nlohmann::json::exception&) {
        throw Error(operation, list.string() + ": a model's path is not UTF-8; rename it");
    }
    std::error_code ignored;  // what cannot be made, cannot be written into either
    std::filesystem::create_directories(list.parent_path(), ignored);
    write_atomically(list, {text, "\n"}, operation);
}

}  // namespace plumbline
