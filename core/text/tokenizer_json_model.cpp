#include "core/text/tokenizer_json_model.h"

#include <array>
#include <optional>

#include "core/formats/byte_reader.h"
#include "core/text/bpe_model.h"
#include "core/text/unigram_model.h"

namespace plumbline {
namespace {

using nlohmann::json;

void read_vocabulary(const JsonNode& node, JsonModel& out) {
    const json& vocabulary = node.value();
    if (!vocabulary.is_object() || vocabulary.empty()) node.damaged("is not an object with tokens");
    const std::int64_t most = highest_id(vocabulary.size());
    out.ids.reserve(vocabulary.size());
    for (const auto& [text, id] : vocabulary.items()) {
        if (!id.is_number_integer() || id < 0 || id > most) {
            node.damaged("gives " + shown(text) + " the id " + (id.is_primitive() ? id.dump() : "of no number") +
                         ", not 0 to " + std::to_string(most));
        }
        const auto place = id.get<std::size_t>();
        if (place >= out.texts.size()) out.texts.resize(place + 1);
        if (!out.texts[place].empty()) {
            node.damaged("gives the id " + std::to_string(place) + " to " + shown(out.texts[place]) + " and " +
                         shown(text));
        }
        out.texts[place] = text;
        if (!text.empty()) out.ids.emplace(text, static_cast<int>(place));
    }
}

/// A merge is "a b" or ["a", "b"].
std::optional<std::pair<std::string_view, std::string_view>> parts_of(const json& merge) {
    if (merge.is_array()) {
        if (merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) return std::nullopt;
        return std::pair<std::string_view, std::string_view>(merge[0].get_ref<const std::string&>(),
                                                             merge[1].get_ref<const std::string&>());
    }
    if (!merge.is_string()) return std::nullopt;
    const std::string_view text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) return std::nullopt;
    return std::pair(text.substr(0, space), text.substr(space + 1));
}

void read_merges(const JsonNode& node, BpeRules& rules) {
    if (!node.value().is_array()) node.damaged("is not a list");
    rules.merges.reserve(node.value().size());
    std::string joined;
    int rank = 0;
    for (const json& merge : node.value()) {
        const auto parts = parts_of(merge);
        if (!parts) node[static_cast<std::size_t>(rank)].damaged("is not two tokens");
        const auto [left, right] = *parts;
        joined.assign(left);
        if (right.size() >= rules.prefix.size()) joined.append(right.substr(rules.prefix.size()));
        const auto id_of = [&](std::string_view text) {
            const auto found = rules.ids.find(text);
            if (found == rules.ids.end())
                node[static_cast<std::size_t>(rank)].damaged("needs " + shown(text) +
                                                             ", which is not in the vocabulary");
            return found->second;
        };
        rules.merges.push_back({id_of(left), id_of(right), id_of(joined), rank});
        ++rank;
    }
}

std::optional<std::array<int, 256>> byte_tokens(const TextIds& ids) {
    std::array<int, 256> out;
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (std::size_t byte = 0; byte < 256; ++byte) {
        const std::string name = std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">";
        const auto found = ids.find(name);
        if (found == ids.end()) return std::nullopt;
        out[byte] = found->second;
    }
    return out;
}

std::unique_ptr<const WordModel> bpe_of(const JsonNode& node, JsonModel& out) {
    read_vocabulary(node["vocab"], out);
    BpeRules rules;
    rules.ids = out.ids;
    rules.vocabulary = static_cast<int>(out.texts.size());
    if (const JsonNode dropout = node["dropout"]; !dropout.is_null() && dropout.number() != 0)
        dropout.fail("would make tokens by chance, which is not supported; set it to null");
    rules.prefix = node["continuing_subword_prefix"].text_or("");
    rules.suffix = node["end_of_word_suffix"].text_or("");
    rules.whole_words_first = node["ignore_merges"].flag_or(false);
    rules.fuse_unknown = node["fuse_unk"].flag_or(false);
    if (node["byte_fallback"].flag_or(false)) rules.byte_fallback = byte_tokens(out.ids);
    if (const JsonNode unknown = node["unk_token"]; !unknown.is_null()) {
        const auto found = out.ids.find(unknown.text());
        if (found != out.ids.end()) rules.unknown = found->second;
    }
    read_merges(node["merges"], rules);
    return std::make_unique<const BpeModel>(std::move(rules));
}

std::unique_ptr<const WordModel> unigram_of(const JsonNode& node, JsonModel& out) {
    const JsonNode vocabulary = node["vocab"];
    if (!vocabulary.value().is_array() || vocabulary.value().empty()) vocabulary.damaged("is not a list of tokens");
    UnigramRules rules;
    for (const json& entry : vocabulary.value()) {
        const std::size_t id = rules.tokens.size();
        if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number())
            vocabulary[id].damaged("is not a token and its score");
        rules.tokens.push_back({entry[0].get<std::string>(), vocabulary[id][1].number()});
        out.texts.push_back(rules.tokens.back().text);
        if (!out.texts.back().empty()) out.ids.insert_or_assign(out.texts.back(), static_cast<int>(id));
    }
    const auto last = static_cast<std::int64_t>(rules.tokens.size()) - 1;
    if (const JsonNode unknown = node["unk_id"]; !unknown.is_null())
        rules.unknown = static_cast<int>(unknown.integer(0, last));
    if (node["byte_fallback"].flag_or(false)) rules.byte_fallback = byte_tokens(out.ids);
    return std::make_unique<const UnigramModel>(std::move(rules));
}

}  // namespace

JsonModel json_model_of(const JsonNode& node) {
    JsonModel out;
    const JsonNode type = node["type"];
    // Files of old have no type; only BPE has merges.
    const std::string name = type.text_or(node["merges"].is_null() ? "Unigram" : "BPE");
    if (name == "BPE") {
        out.model = bpe_of(node, out);
    } else if (name == "Unigram") {
        out.model = unigram_of(node, out);
    } else {
        type.fail("'" + name + "' is not supported; use a model whose tokenizer is BPE or Unigram");
    }
    return out;
}

}  // namespace plumbline
