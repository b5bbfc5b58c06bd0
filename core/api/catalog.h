#pragma once
// What this program offers by name: models, simulated people.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace plumbline {

enum class ModelSource {
    bundled,    // part of the program
    installed,  // in the models folder; the one that packaging/run.sh puts there is listed before it is there
    own,        // where the person keeps it, by the list of add_own_model()
    known,      // to be fetched by hand; how_to_get says what and where it goes
};

struct CatalogModel {
    std::string name;              // the command line's MODEL, e.g. "smollm2-135m-instruct"
    std::string title;             // for people, e.g. "SmolLM2 135M Instruct"; of a file, its name
    std::filesystem::path path;    // where it is, or would be
    ModelSource source = ModelSource::known;
    bool installed = false;        // it is there and can be opened
    std::string family;            // e.g. "llama"; empty: not known
    std::int64_t parameters = 0;
    std::int64_t size_bytes = 0;   // on the disk; 0: nothing is there
    std::string file_dtype;        // most weights', e.g. "Q4_1"
    std::int64_t memory_f32 = 0, memory_bf16 = 0;  // bytes a live session needs, estimated; 0: not known
    std::string chat_template;     // as in ModelInfo: "chatml" …; "none": plain text; empty: not known
    std::string chat_template_note;   // not empty: what a person should know of it
    std::string licence;
    std::string how_to_get;        // one or two sentences for a model that is not there
    std::string hub_id;            // its name at Hugging Face; empty: not known
    std::string problem;           // why what is there, or should be, cannot be opened
};

/// Names, titles and places alone, with the facts that are known beforehand: no model file is read, and `installed`
/// says that something is there. Order: what the program brings or fetches, the models folder, one's own, then what
/// can be fetched by hand. The bundled model is unpacked into bundled/ at the first call; where that fails it is listed
/// with the reason.
std::vector<CatalogModel> list_models();

/// The same with what each file's header says; takes as long as the disk does.
std::vector<CatalogModel> catalog_models();

/// The file of MODEL: a catalogue name, a .gguf file or a folder. Throws Error when there is none.
std::filesystem::path resolve_model(const std::string& name_or_path);

/// A .gguf file or a folder with config.json. Looks at no content.
bool looks_like_model(const std::filesystem::path& path);

/// Lists a model where it lies, from now on. Returns its name; one that is listed already keeps its own. Throws Error
/// for what cannot be opened.
std::string add_own_model(const std::filesystem::path& path);
/// Takes it off the list; the file stays. Throws Error for a name that was not added.
void remove_own_model(const std::string& name);

/// The user's data folder: models/, sessions/, models.json. PLUMBLINE_DATA_DIR, else XDG_DATA_HOME/plumbline, else
/// ~/.local/share/plumbline.
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
