#include "core/store/session_rows.h"

#include "core/api/config_fields.h"
#include "core/api/errors.h"
#include "core/store/database.h"
#include "core/store/project_file.h"

namespace plumbline {

void write_model(Database& db, const char* operation, const ModelInfo& model) {
    Statement insert(db, operation,
                     "INSERT INTO model VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, model.name).bind(2, model.path).bind(3, model.sha256).bind(4, model.architecture);
    insert.bind(5, model.parameters).bind(6, model.layers).bind(7, model.hidden).bind(8, model.heads);
    insert.bind(9, model.kv_heads).bind(10, model.vocab).bind(11, model.context);
    insert.bind(12, model.dtype).bind(13, model.file_dtype);
    insert.bind(14, model.chat_template).bind(15, model.chat_template_note).bind(16, model.memory_bytes);
    insert.run();
}

ModelInfo read_model(Database& db, const char* operation) {
    Statement row(
        db, operation,
        "SELECT name, path, sha256, architecture, parameters, layers, hidden, heads, kv_heads, vocab, "
        "context, dtype, file_dtype, chat_template, chat_template_note, memory_bytes FROM model");
    if (!row.step()) {
        throw Error(operation, db.path().string() +
                                   ": the file does not say which model it belongs to; it is "
                                   "damaged, open a copy of it");
    }
    const auto number = [&](int column) { return static_cast<int>(row.integer(column)); };
    ModelInfo model;
    model.name = row.text(0);
    model.path = row.text(1);
    model.sha256 = row.text(2);
    model.architecture = row.text(3);
    model.parameters = row.integer(4);
    model.layers = number(5);
    model.hidden = number(6);
    model.heads = number(7);
    model.kv_heads = number(8);
    model.vocab = number(9);
    model.context = number(10);
    model.dtype = row.text(11);
    model.file_dtype = row.text(12);
    model.chat_template = row.text(13);
    model.chat_template_note = row.text(14);
    model.memory_bytes = row.integer(15);
    return model;
}

void write_config(Database& db, const char* operation, const SessionConfig& config) {
    Transaction transaction(db, operation);
    Statement insert(db, operation, "INSERT OR REPLACE INTO config (key, value) VALUES (?, ?)");
    for (const Field<SessionConfig>& field : fields<SessionConfig>()) {
        const std::string value = field.get(config);
        insert.bind(1, field.key).bind(2, value);
        insert.run();
    }
    transaction.commit();
}

SessionConfig read_config(Database& db, const char* operation) {
    SessionConfig config;
    Statement rows(db, operation, "SELECT key, value FROM config");
    while (rows.step()) {
        try {
            set_field(config, rows.text(0), rows.text(1));
        } catch (const ConfigError& error) {
            throw Error(operation, db.path().string() + ": " + error.what());
        }
    }
    return config;
}

ModelInfo ProjectFile::model() const {
    return read_model(*db_, "read project");
}

void ProjectFile::set_model_path(const std::string& path) {
    Statement update(*db_, "save model path", "UPDATE model SET path = ?");
    update.bind(1, path).run();
}

SessionConfig ProjectFile::config() const {
    return read_config(*db_, "read project");
}

void ProjectFile::set_config(const SessionConfig& config) {
    validate(config);
    write_config(*db_, "save settings", config);
}

std::optional<std::string> ProjectFile::setting(const std::string& key) const {
    Statement row(*db_, "read project", "SELECT value FROM settings WHERE key = ?");
    row.bind(1, key);
    return row.step() ? std::optional(row.text(0)) : std::nullopt;
}

void ProjectFile::set_setting(const std::string& key, const std::string& value) {
    Statement insert(*db_, "save session", "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)");
    insert.bind(1, key).bind(2, value).run();
}

}  // namespace plumbline
