// Tokenizers of Hugging Face's tokenizer.json.

#include <algorithm>
#include <optional>

#include "core/api/errors.h"
#include "core/formats/byte_reader.h"
#include "core/formats/json_node.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_json_model.h"
#include "core/text/tokenizer_json_steps.h"
#include "core/text/tokenizer_parts.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

constexpr const char* operation = "open model";
constexpr std::size_t longest_tokenizer = 256u << 20, longest_settings = 16u << 20;  // bytes

/// A token added to the vocabulary, and whether it is looked for in the normalised text.
struct Added {
    AddedToken token;
    bool normalized = false;
};

class Reader {
  public:
    explicit Reader(const fs::path& path) : file_(path, operation, longest_tokenizer) {}

    TokenizerParts read() {
        const JsonNode root(file_);
        const JsonNode entries = root["added_tokens"];
        model_ = json_model_of(root["model"]);
        words_ = model_.texts.size();
        const auto most = highest_id(model_.texts.size() + entries.items().size());
        for (const JsonNode& entry : entries.items()) {
            const auto id = static_cast<int>(entry["id"].integer(0, most));
            add(entry, entry["content"], id);
        }
        read_settings();

        TokenizerParts out;
        const TokenDecoder decoder = token_decoder_of(root["decoder"]);
        std::vector<bool> is_added(model_.texts.size()), is_special(model_.texts.size());
        for (const Added& added : added_) {
            is_added[static_cast<std::size_t>(added.token.id)] = true;
            is_special[static_cast<std::size_t>(added.token.id)] = added.token.special;
        }
        for (std::size_t id = 0; id < model_.texts.size(); ++id)
            out.tokens.push_back({decoder.bytes_of(model_.texts[id], is_added[id]), is_special[id]});
        // A model may have more rows than tokens, to a round number: ids without a text.
        constexpr std::size_t most_filling = 65536;
        out.tokens.resize(std::max(out.tokens.size(), std::min(rows_, out.tokens.size() + most_filling)));
        out.first_spaces = decoder.first_spaces;
        out.normalizer = normalizer_of(root["normalizer"]);
        out.pre_tokenizer = pre_tokenizer_of(root["pre_tokenizer"]);
        out.model = std::move(model_.model);
        std::vector<AddedToken> in_text, in_normalized;
        for (Added& added : added_) {
            if (added.normalized) added.token.text = out.normalizer.apply(added.token.text);
            (added.normalized ? in_normalized : in_text).push_back(added.token);
        }
        out.in_text = AddedTokens(std::move(in_text));
        out.in_normalized = AddedTokens(std::move(in_normalized));
        out.bos = bos_;
        out.eos = eos_;
        out.pad = pad_;
        out.ends = ends_;
        out.adds_bos = bos_ >= 0 && adds_bos_.value_or(first_of_template(root["post_processor"]) == bos_);
        return out;
    }

  private:
    /// `node` has the token's properties. A text that the vocabulary has keeps the id that it has there.
    void add(const JsonNode& node, const JsonNode& content, int id) {
        const std::string& text = content.text();
        if (text.empty()) return;
        const auto [place, is_new] = model_.ids.emplace(text, id);
        if (is_new) {
            const auto at = static_cast<std::size_t>(id);
            if (at >= model_.texts.size()) model_.texts.resize(at + 1);
            std::string& taken = model_.texts[at];
            if (!taken.empty())
                node.damaged("gives " + shown(text) + " the id " + std::to_string(id) + " of " + shown(taken));
            taken = text;
        }
        Added added;
        added.token.text = text;
        added.token.id = place->second;
        added.token.special = node["special"].flag_or(false);
        added.token.takes_spaces_before = node["lstrip"].flag_or(false);
        added.token.takes_spaces_after = node["rstrip"].flag_or(false);
        added.token.whole_word = node["single_word"].flag_or(false);
        added.normalized = node["normalized"].flag_or(!added.token.special);
        const auto same = std::find_if(added_.begin(), added_.end(),
                                       [&](const Added& other) { return other.token.text == text; });
        if (same != added_.end()) {
            *same = std::move(added);
        } else {
            added_.push_back(std::move(added));
        }
    }

    std::optional<JsonFile> beside(const char* name) const {
        const fs::path path = file_.path().parent_path() / name;
        if (!fs::exists(path)) return std::nullopt;
        return JsonFile(path, operation, longest_settings);
    }

    void read_settings() {
        if (const auto settings = beside("tokenizer_config.json")) {
            const JsonNode root(*settings);
            read_missing_tokens(root["added_tokens_decoder"]);
            read_names(root);
            if (const JsonNode adds = root["add_bos_token"]; !adds.is_null()) adds_bos_ = adds.flag_or(false);
        }
        if (const auto names = beside("special_tokens_map.json")) read_names(JsonNode(*names));
        if (const auto config = beside("config.json")) {
            read_ids(JsonNode(*config));
            if (const JsonNode rows = JsonNode(*config)["vocab_size"]; !rows.is_null()) {
                rows_ = static_cast<std::size_t>(rows.integer(0, INT32_MAX));
            }
        }
        if (const auto generation = beside("generation_config.json")) read_ends(JsonNode(*generation));
        drop_tokens_without_row();
        for (const int id : {bos_, eos_, pad_}) make_special(id);
    }

    /// {"32000": {"content": "<|x|>", …}}: tokens that tokenizer.json may lack.
    void read_missing_tokens(const JsonNode& node) {
        if (node.is_null()) return;
        if (!node.value().is_object()) node.damaged("is not an object");
        const std::int64_t most = highest_id(model_.texts.size() + node.value().size());
        for (const auto& [key, value] : node.value().items()) {
            const JsonNode entry = node[key];
            const bool is_id = !key.empty() && key.size() < 10 &&
                               std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
            if (!is_id || std::stoll(key) > most)
                entry.damaged("is not named by an id of 0 to " + std::to_string(most));
            if (!model_.ids.contains(entry["content"].text())) add(entry, entry["content"], std::stoi(key));
        }
    }

    /// "bos_token": "<s>" or {"content": "<s>", …}
    void read_names(const JsonNode& node) {
        const auto id_of = [&](const char* key, int& id, bool must_be_known) {
            if (id >= 0 || node[key].is_null()) return;
            const JsonNode name = node[key].value().is_object() ? node[key]["content"] : node[key];
            const auto found = model_.ids.find(name.text());
            if (found != model_.ids.end()) {
                id = found->second;
            } else if (must_be_known) {
                name.fail(shown(name.text()) + " is not a token of tokenizer.json; name one that is");
            }
        };
        id_of("bos_token", bos_, true);
        id_of("eos_token", eos_, true);
        id_of("pad_token", pad_, false);  // training may have meant to add it
    }

    /// "eos_token_id": 2 or [2, 5]; -1 for what the vocabulary does not have.
    std::vector<int> ids_in(const JsonNode& entry) const {
        std::vector<int> out;
        const auto add = [&](const JsonNode& id) {
            const std::int64_t value = id.integer(-1, INT32_MAX);
            out.push_back(value < static_cast<std::int64_t>(model_.texts.size()) ? static_cast<int>(value) : -1);
        };
        if (entry.value().is_array()) {
            for (const JsonNode& id : entry.items()) add(id);
        } else if (!entry.is_null()) {
            add(entry);
        }
        return out;
    }

    void read_ids(const JsonNode& node) {
        const auto read = [&](const char* key, int& id) {
            if (id >= 0) return;
            if (const std::vector<int> ids = ids_in(node[key]); !ids.empty()) id = ids.front();
        };
        read("bos_token_id", bos_);
        read("eos_token_id", eos_);
        read("pad_token_id", pad_);
        read_ends(node);
    }

    void read_ends(const JsonNode& node) {
        for (const int id : ids_in(node["eos_token_id"])) ends_.push_back(id);
    }

    /// A training script may have added a token, to pad with, and the model no row for it: it cannot be read.
    void drop_tokens_without_row() {
        const std::size_t kept = std::max(words_, rows_);
        if (rows_ == 0 || model_.texts.size() <= kept) return;
        const auto dropped = [&](int id) { return id >= 0 && static_cast<std::size_t>(id) >= kept; };
        model_.texts.resize(kept);
        std::erase_if(added_, [&](const Added& added) { return dropped(added.token.id); });
        std::erase_if(ends_, dropped);
        for (int* id : {&bos_, &eos_, &pad_}) {
            if (dropped(*id)) *id = -1;
        }
    }

    /// A token of the vocabulary that the settings name is special, whether the file adds it or not.
    void make_special(int id) {
        if (id < 0) return;
        const auto same =
            std::find_if(added_.begin(), added_.end(), [&](const Added& other) { return other.token.id == id; });
        if (same != added_.end()) {
            same->token.special = true;
            return;
        }
        Added added;
        added.token.text = model_.texts[static_cast<std::size_t>(id)];
        added.token.id = id;
        added.token.special = true;
        if (!added.token.text.empty()) added_.push_back(std::move(added));
    }

    /// The id that the post-processor puts before a text; -1: none.
    static int first_of_template(const JsonNode& node) {
        if (node.is_null()) return -1;
        const std::string& type = node["type"].text();
        const auto id_in = [](const JsonNode& id) { return static_cast<int>(id.integer(0, INT32_MAX)); };
        if (type == "Sequence") {
            int found = -1;
            for (const JsonNode& processor : node["processors"].items())
                found = std::max(found, first_of_template(processor));
            return found;
        }
        if (type == "RobertaProcessing" || type == "BertProcessing") return id_in(node["cls"][1]);
        if (type != "TemplateProcessing" || node["single"].items().empty()) return -1;
        const JsonNode special = node["single"][0]["SpecialToken"];
        return special.is_null() ? -1 : id_in(node["special_tokens"][special["id"].text()]["ids"][0]);
    }

    JsonFile file_;
    JsonModel model_;
    std::size_t words_ = 0;   // tokens of the vocabulary, before others are added
    std::vector<Added> added_;
    int bos_ = -1, eos_ = -1, pad_ = -1;
    std::vector<int> ends_;
    std::optional<bool> adds_bos_;
    std::size_t rows_ = 0;  // of the model beside it
};

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::from_json(const fs::path& folder_or_file) {
    const fs::path path =
        fs::is_directory(folder_or_file) ? folder_or_file / "tokenizer.json" : folder_or_file;
    if (!fs::exists(path)) {
        throw Error(operation, path.string() +
                                   ": there is no such file; save the tokenizer as tokenizer.json (with transformers: "
                                   "AutoTokenizer.from_pretrained(…).save_pretrained(…))");
    }
    return std::make_shared<const Tokenizer>(Reader(path).read());
}

}  // namespace plumbline
