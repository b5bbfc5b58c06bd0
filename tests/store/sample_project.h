#pragma once
// A project with rows of every kind, and raw access to its file.

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/api/errors.h"
#include "core/store/database.h"
#include "core/store/project_file.h"

namespace plumbline::testing {

inline ModelInfo sample_model() {
    ModelInfo model;
    model.name = "tiny";
    model.path = "/models/tiny.gguf";
    model.sha256 = std::string(64, 'a');
    model.architecture = "llama";
    model.parameters = 123456789012;
    model.layers = 4;
    model.hidden = 32;
    model.heads = 4;
    model.kv_heads = 2;
    model.vocab = 300;
    model.context = 256;
    model.dtype = "f32";
    model.file_dtype = "F32";
    model.chat_template = "chatml";
    model.chat_template_note = "none";
    model.memory_bytes = 5000000000;
    return model;
}

/// Four candidates; samples 2 and 0 are on the screen.
inline StoredGeneration sample_generation(std::int64_t prompt) {
    StoredGeneration out;
    out.prompt_id = prompt;
    out.stream = 0xfedcba9876543210ULL;
    out.policy_version = 3;
    out.temperature = 0.9;
    out.system_prompt = "Answer briefly.";
    out.left = 2;
    out.right = 0;
    out.chosen_by = PairChoice::random;
    for (int sample = 0; sample < 4; ++sample) {
        StoredCandidate candidate;
        candidate.sample = sample;
        candidate.text = "Reply " + std::to_string(sample) + " \u00fc\U0001f600";
        for (int i = 0; i < 5 + sample; ++i) {
            candidate.ids.push_back(1000 * sample + i);
            candidate.logprobs.push_back(-0.5F * static_cast<float>(i));
            candidate.reference_logprobs.push_back(-0.25F * static_cast<float>(i + 1));
            candidate.reference_logprobs_t1.push_back(-0.125F * static_cast<float>(i + 2));
        }
        candidate.features.assign(32, 0.1F * static_cast<float>(sample));
        candidate.finish = sample == 3 ? Finish::length : Finish::eos;
        out.candidates.push_back(candidate);
    }
    return out;
}

inline StoredLabel label_of(const StoredGeneration& generation, Choice choice, std::int64_t undoes = 0) {
    return {0, generation.id, {choice, Strength::clear, {}}, 1764000000.25, "person", undoes};
}

inline StoredCheckpoint state_of(std::int64_t event, std::size_t size, unsigned char fill) {
    StoredCheckpoint out;
    out.event_seq = event;
    out.name = "latest";
    out.policy_steps = 7;
    out.state.assign(size, std::byte{fill});
    return out;
}

/// Prompts, three pairs, labels with one undo, events, metrics, a latest and two undo states.
inline void fill(ProjectFile& file) {
    for (const char* text : {"Why is the sky blue?", "How do I say no?"}) {
        file.add_prompt(text);
    }
    for (int i = 0; i < 3; ++i) {
        StoredGeneration generation = sample_generation(1);
        file.add_generation(generation);
        const std::int64_t label = file.add_label(label_of(generation, Choice::left));
        const std::int64_t event =
            file.add_event({0, "label", "{\"label\":" + std::to_string(label) + "}", "ab12"});
        file.add_metrics({{"reward/loss", label, 1.0 * i, 0.5}});
        StoredCheckpoint undo = state_of(event, 3000, static_cast<unsigned char>(i));
        undo.before_label = label;
        undo.name = "before label " + std::to_string(label);
        file.save_undo(undo, 2);
        file.save_latest(state_of(event, 3000, 9));
    }
    file.add_label(label_of(file.generation(3), Choice::left, 3));
}

inline std::filesystem::path filled_project(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "sample.plumb";
    fill(*ProjectFile::create(path, sample_model(), {}));
    return path;
}

/// Runs SQL on the file behind the store's back.
inline void run_sql(const std::filesystem::path& path, const std::string& sql) {
    sqlite3* db = nullptr;
    char* message = nullptr;
    if (sqlite3_open(path.c_str(), &db) != SQLITE_OK ||
        sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message) != SQLITE_OK) {
        const std::string text = message != nullptr ? message : sqlite3_errmsg(db);
        sqlite3_free(message);
        sqlite3_close(db);
        throw std::runtime_error(text);
    }
    sqlite3_close(db);
}

inline std::int64_t count_rows(const std::filesystem::path& path, const std::string& table) {
    Database db(path, Access::read_only, "test");
    return db.integer("test", ("SELECT count(*) FROM " + table).c_str());
}

/// The text of the Error that `call` throws; empty when it throws none.
template <class Call>
std::string error_of(Call call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace plumbline::testing
