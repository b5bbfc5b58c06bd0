#pragma once
// The rows that say what a session is: model and settings.

#include "core/api/configs.h"
#include "core/api/events.h"

namespace plumbline {

class Database;

// Each throws Error "<operation>: <file>: …".
void write_model(Database& db, const char* operation, const ModelInfo& model);
ModelInfo read_model(Database& db, const char* operation);
void write_config(Database& db, const char* operation, const SessionConfig& config);
/// Keys that the file lacks keep their default; an unknown key or a value out of range is an Error.
SessionConfig read_config(Database& db, const char* operation);

}  // namespace plumbline
