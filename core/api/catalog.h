#pragma once
// What this program offers by name: models, simulated people.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace plumbline {

struct CatalogModel {
    std::string name;             // the command line's MODEL, e.g. "smollm2-135m-instruct"
    std::string title;            // for people, e.g. "SmolLM2 135M Instruct"
    std::filesystem::path path;   // where it is, or would be
    bool installed = false;
    std::int64_t parameters = 0;
    std::int64_t memory_bytes = 0;  // resident memory needed in f32, estimated
    std::string licence;
    std::string how_to_get;       // one sentence for a model that is not installed
};

/// Bundled and installed models. Looks in PLUMBLINE_DATA_DIR/models, else XDG_DATA_HOME/plumbline/models,
/// else ~/.local/share/plumbline/models. The bundled model is part of the program and is written beside them, into
/// bundled/, at the first call; where that fails it is listed as not installed, with the reason.
std::vector<CatalogModel> catalog_models();

/// The file of MODEL: a catalogue name, a .gguf file or a folder. Throws Error when there is none.
std::filesystem::path resolve_model(const std::string& name_or_path);

/// The user's data folder: models/, sessions/.
std::filesystem::path data_folder();

struct CatalogJudge {
    std::string name;      // "polite"
    std::string summary;   // "prefers the reply with more polite words"
};
std::vector<CatalogJudge> catalog_judges();

/// A part of a reward that is a sum of rules, e.g. "keyword(sorry) - 0.5*length(20)".
struct CatalogRule {
    std::string name;      // "length"
    std::string usage;     // "length(WORDS)"
    std::string summary;   // one sentence
};
std::vector<CatalogRule> catalog_rules();

/// Prompts bundled with the program: for sessions, and held out for evaluation. `model`: the name that MODEL or
/// ModelInfo gives; courtesy knows customers' questions only and has prompts of its own.
std::vector<std::string> bundled_prompts(const std::string& model = "");
std::vector<std::string> heldout_prompts(const std::string& model = "");

}  // namespace plumbline
