#pragma once
// Messages, texts and token ids as they stand in JSON rows.

#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/api/offline.h"

namespace plumbline {

/// What is wrong with one row; the caller adds file and line.
class RowError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Each throws RowError that names `field`.
const nlohmann::json& member(const nlohmann::json& row, const char* field);
std::string text_of(const nlohmann::json& value, const std::string& field);
/// [{"role": text, "content": text}, …], at least one.
std::vector<Message> messages_of(const nlohmann::json& value, const std::string& field);
/// Whole numbers from 0 on.
std::vector<int> ids_of(const nlohmann::json& value, const std::string& field);

}  // namespace plumbline
