#pragma once
// The model of a tokenizer.json and its vocabulary.

#include <memory>
#include <string>
#include <vector>

#include "core/formats/json_node.h"
#include "core/text/text_ids.h"
#include "core/text/word_model.h"

namespace plumbline {

struct JsonModel {
    TextIds ids;
    std::vector<std::string> texts;  // by id; empty where no token has the id
    std::unique_ptr<const WordModel> model;
};

/// Throws the file's Error for what is damaged or not supported.
JsonModel json_model_of(const JsonNode& node);

/// The highest id that a file with so many tokens may give one.
constexpr std::int64_t highest_id(std::size_t tokens) { return 2 * static_cast<std::int64_t>(tokens) + 65535; }

}  // namespace plumbline
