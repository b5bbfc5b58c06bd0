#include "core/text/tokenizer_json_steps.h"

#include <map>
#include <stdexcept>

#include "core/text/precompiled_charsmap.h"

namespace plumbline {
namespace {

[[noreturn]] void not_supported(const JsonNode& node) {
    node["type"].fail("'" + node["type"].text() + "' is not supported; use a model with another tokenizer");
}

/// What `make` makes of the node's value; its std::invalid_argument becomes the file's Error.
template <class Make>
auto made_of(const JsonNode& node, Make make) {
    try {
        return make(node.text());
    } catch (const std::invalid_argument& error) {
        node.fail("'" + node.text().substr(0, 200) + "' cannot be used: " + error.what() +
                  "; use a model with another tokenizer");
    }
}

/// {"String": …} or {"Regex": …}
Delimiter delimiter_of(const JsonNode& node) {
    if (const JsonNode text = node["String"]; !text.is_null()) return text.text();
    return made_of(node["Regex"], [](const std::string& pattern) { return Regex::from_oniguruma(pattern); });
}

DelimiterPlace place_of(const JsonNode& node, DelimiterPlace fallback) {
    static const std::map<std::string, DelimiterPlace> names = {
        {"Removed", DelimiterPlace::removed},
        {"Isolated", DelimiterPlace::isolated},
        {"MergedWithPrevious", DelimiterPlace::with_previous},
        {"MergedWithNext", DelimiterPlace::with_next},
        {"Contiguous", DelimiterPlace::contiguous},
    };
    if (node.is_null()) return fallback;
    const auto found = names.find(node.text());
    if (found == names.end()) node.damaged("'" + node.text() + "' is not a behavior");
    return found->second;
}

void add_normalizer(const JsonNode& node, std::vector<NormalizerStep>& steps) {
    if (node.is_null()) return;
    static const std::map<std::string, NormalForm> forms = {
        {"NFC", NormalForm::nfc}, {"NFD", NormalForm::nfd}, {"NFKC", NormalForm::nfkc}, {"NFKD", NormalForm::nfkd}};
    const std::string& type = node["type"].text();
    if (const auto form = forms.find(type); form != forms.end()) {
        steps.emplace_back(form->second);
    } else if (type == "Sequence") {
        for (const JsonNode& step : node["normalizers"].items()) add_normalizer(step, steps);
    } else if (type == "Lowercase") {
        steps.emplace_back(LowercaseStep{});
    } else if (type == "Strip") {
        steps.emplace_back(StripStep{node["strip_left"].flag_or(true), node["strip_right"].flag_or(true)});
    } else if (type == "StripAccents") {
        steps.emplace_back(StripAccentsStep{});
    } else if (type == "Nmt") {
        steps.emplace_back(NmtStep{});
    } else if (type == "Replace") {
        steps.emplace_back(ReplaceStep{delimiter_of(node["pattern"]), node["content"].text()});
    } else if (type == "Prepend") {
        steps.emplace_back(PrependStep{node["prepend"].text()});
    } else if (type == "ByteLevel") {
        steps.emplace_back(ByteAlphabetStep{});
    } else if (type == "Precompiled") {
        if (const JsonNode map = node["precompiled_charsmap"]; !map.text_or("").empty()) {
            steps.emplace_back(made_of(map, [](const std::string& base64) {
                return std::make_shared<const PrecompiledCharsmap>(base64);
            }));
        }
    } else {
        not_supported(node);
    }
}

MetaspaceStep metaspace_of(const JsonNode& node) {
    MetaspaceStep step;
    step.mark = node["replacement"].text_or(step.mark);
    const JsonNode scheme = node["prepend_scheme"];
    if (scheme.is_null()) {  // as it was written before there were schemes
        const bool before = node["add_prefix_space"].flag_or(true);
        step.before = before ? MetaspaceStep::Before::always : MetaspaceStep::Before::never;
    } else if (scheme.text() == "first") {
        step.before = MetaspaceStep::Before::first;
    } else if (scheme.text() == "never") {
        step.before = MetaspaceStep::Before::never;
    } else if (scheme.text() != "always") {
        scheme.damaged("'" + scheme.text() + "' is not always, first or never");
    }
    return step;
}

void add_pre_tokenizer(const JsonNode& node, std::vector<PreTokenizerStep>& steps) {
    if (node.is_null()) return;
    const std::string& type = node["type"].text();
    if (type == "Sequence") {
        for (const JsonNode& step : node["pretokenizers"].items()) add_pre_tokenizer(step, steps);
    } else if (type == "ByteLevel") {
        if (node["add_prefix_space"].flag_or(true)) steps.emplace_back(LeadingSpaceStep{});
        if (node["use_regex"].flag_or(true)) steps.emplace_back(SplitStep{Regex(gpt2_pattern)});
        steps.emplace_back(ByteAlphabetStep{});
    } else if (type == "Split") {
        const DelimiterPlace place = place_of(node["behavior"], DelimiterPlace::isolated);
        steps.emplace_back(SplitStep{delimiter_of(node["pattern"]), place, node["invert"].flag_or(false)});
    } else if (type == "Digits") {
        const bool each = node["individual_digits"].flag_or(false);
        steps.emplace_back(SplitStep{&is_numeric, each ? DelimiterPlace::isolated : DelimiterPlace::contiguous});
    } else if (type == "Punctuation") {
        steps.emplace_back(SplitStep{&is_punctuation, place_of(node["behavior"], DelimiterPlace::isolated)});
    } else if (type == "Metaspace") {
        steps.emplace_back(metaspace_of(node));
        if (node["split"].flag_or(true)) {
            steps.emplace_back(SplitStep{std::get<MetaspaceStep>(steps.back()).mark, DelimiterPlace::with_next});
        }
    } else if (type == "Whitespace") {
        // Written for another engine, whose words have the joiners too.
        constexpr std::string_view words = R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+)"
                                           R"(|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+)";
        steps.emplace_back(SplitStep{Regex(words), DelimiterPlace::removed, true});
    } else if (type == "WhitespaceSplit") {
        steps.emplace_back(SplitStep{&is_white_space, DelimiterPlace::removed});
    } else {
        not_supported(node);
    }
}

void add_decoder(const JsonNode& node, bool& fused, TokenDecoder& out) {
    const std::string& type = node["type"].text();
    if (type == "Sequence") {
        for (const JsonNode& step : node["decoders"].items()) add_decoder(step, fused, out);
    } else if (type == "ByteLevel") {
        out.steps.emplace_back(BytesOfAlphabetStep{});
    } else if (type == "ByteFallback") {
        out.steps.emplace_back(BytesOfNamesStep{});
    } else if (type == "Metaspace") {
        const MetaspaceStep step = metaspace_of(node);
        out.steps.emplace_back(ReplaceStep{step.mark, " "});
        if (step.before != MetaspaceStep::Before::never) out.first_spaces = FirstSpaces::all_dropped;
    } else if (type == "Replace" && !fused) {
        out.steps.emplace_back(ReplaceStep{delimiter_of(node["pattern"]), node["content"].text()});
    } else if (type == "Fuse") {
        fused = true;
    } else if (type == "Strip") {
        StripTokenStep step{node["content"].text(), static_cast<std::size_t>(node["start"].integer(0, 1 << 20)),
                            static_cast<std::size_t>(node["stop"].integer(0, 1 << 20))};
        if (!fused) {
            out.steps.emplace_back(std::move(step));
        } else if (step.character == " " && step.start == 1 && step.stop == 0) {
            out.first_spaces = FirstSpaces::one_dropped;
        } else if (step.start != 0 || step.stop != 0) {
            node.fail("strips other than one space at the beginning, which is not supported; use another model");
        }
    } else {
        not_supported(node);
    }
}

}  // namespace

Normalizer normalizer_of(const JsonNode& node) {
    std::vector<NormalizerStep> steps;
    add_normalizer(node, steps);
    return Normalizer(std::move(steps));
}

PreTokenizer pre_tokenizer_of(const JsonNode& node) {
    std::vector<PreTokenizerStep> steps;
    add_pre_tokenizer(node, steps);
    return PreTokenizer(std::move(steps));
}

TokenDecoder token_decoder_of(const JsonNode& node) {
    TokenDecoder out;
    bool fused = false;  // whether what follows sees the whole text
    if (node.is_null()) node.fail("is missing, so that words would be joined by spaces; that is not supported");
    add_decoder(node, fused, out);
    return out;
}

}  // namespace plumbline
