// Who may include what. The compiler cannot say it: the system's include folders hold Qt and tensor headers
// for every target.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// Text by path from the repository's root.
using Sources = std::map<std::string, std::string>;

struct Include {
    std::string name;
    bool quoted = false;
};

std::vector<Include> includes_of(const std::string& text) {
    std::vector<Include> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t hash = line.find_first_not_of(" \t");
        if (hash == std::string::npos || line[hash] != '#') {
            continue;
        }
        const std::size_t word = line.find_first_not_of(" \t", hash + 1);
        if (word == std::string::npos || line.compare(word, 7, "include") != 0) {
            continue;
        }
        const std::size_t open = line.find_first_of("<\"", word);
        if (open == std::string::npos) {
            continue;
        }
        const std::size_t close = line.find(line[open] == '<' ? '>' : '"', open + 1);
        if (close != std::string::npos) {
            out.push_back({line.substr(open + 1, close - open - 1), line[open] == '"'});
        }
    }
    return out;
}

bool starts_with_any(std::string_view text, const std::vector<std::string_view>& starts) {
    return std::any_of(starts.begin(), starts.end(),
                       [&](std::string_view start) { return text.substr(0, start.size()) == start; });
}

/// <QWidget>, <QtCore/QString>, <qcustomplot.h>
bool is_qt(std::string_view name) {
    const bool capital = name.size() > 1 && name[0] == 'Q' && name[1] >= 'A' && name[1] <= 'Z';
    return capital || starts_with_any(name, {"Qt", "qt", "qcustomplot"});
}

bool is_tensor(std::string_view name) {
    return starts_with_any(name, {"torch/", "ATen/", "c10/", "caffe2/"});
}

bool is_standard(const Include& include) {
    return !include.quoted && include.name.find_first_of("./") == std::string::npos && !is_qt(include.name);
}

bool is_header(std::string_view path) {
    return path.size() > 2 && path.substr(path.size() - 2) == ".h";
}

/// Why `path` must not include it; empty: it may.
std::string reason(const std::string& path, const Include& include) {
    const std::string& name = include.name;
    const auto in = [&](std::string_view folder) { return starts_with_any(path, {folder}); };
    const auto of = [&](std::string_view folder) { return starts_with_any(name, {folder}); };
    if (in("core/")) {
        if (is_qt(name)) {
            return "core has no Qt";
        }
        if (of("ui/") || of("app/")) {
            return "core does not know the window";
        }
        if (is_tensor(name) && starts_with_any(path, {"core/api/", "core/formats/", "core/text/",
                                                      "core/store/", "core/judges/", "core/model/families/"})) {
            return "the base has no tensors";
        }
        if (in("core/api/") && is_header(path) && !is_standard(include) && !of("core/api/")) {
            return "the public API is the standard library and itself";
        }
    }
    if (in("ui/") || in("app/")) {
        if (of("core/") && !of("core/api/")) {
            return "the window knows core by its public API only";
        }
        if (is_tensor(name) || of("sqlite3")) {
            return "tensors and the database belong to core";
        }
    }
    if (in("ui/") && of("app/")) {
        return "ui does not know the programs";
    }
    return "";
}

/// Everything that a file includes, through the repository's own headers.
std::set<std::string> reachable(const Sources& sources, const std::string& path) {
    std::set<std::string> out;
    std::vector<std::string> waiting = {path};
    std::set<std::string> seen = {path};
    while (!waiting.empty()) {
        const std::string at = waiting.back();
        waiting.pop_back();
        for (const Include& include : includes_of(sources.at(at))) {
            out.insert(include.name);
            if (sources.count(include.name) != 0 && seen.insert(include.name).second) {
                waiting.push_back(include.name);
            }
        }
    }
    return out;
}

std::vector<std::string> violations(const Sources& sources) {
    std::vector<std::string> out;
    for (const auto& [path, text] : sources) {
        for (const Include& include : includes_of(text)) {
            if (const std::string why = reason(path, include); !why.empty()) {
                out.push_back(path + " includes " + include.name + ": " + why);
            }
        }
        if (!is_header(path)) {
            const std::set<std::string> all = reachable(sources, path);
            if (std::any_of(all.begin(), all.end(), is_qt) &&
                std::any_of(all.begin(), all.end(), is_tensor)) {
                out.push_back(path + ": it sees both Qt and tensors, whose names clash");
            }
        }
    }
    return out;
}

Sources repository() {
    const fs::path root = PLUMBLINE_SOURCE_DIR;
    Sources out;
    for (const char* folder : {"core", "ui", "app", "tests"}) {
        if (!fs::exists(root / folder)) {
            continue;
        }
        for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
            const fs::path& path = entry.path();
            if (path.extension() == ".h" || path.extension() == ".cpp") {
                std::ostringstream text;
                text << std::ifstream(path).rdbuf();
                out[fs::relative(path, root).generic_string()] = text.str();
            }
        }
    }
    return out;
}

TEST(Layering, HoldsInTheRepository) {
    const Sources sources = repository();
    ASSERT_GT(sources.count("core/api/engine.h"), 0U);
    ASSERT_GT(sources.size(), 50U);
    for (const std::string& violation : violations(sources)) {
        ADD_FAILURE() << violation;
    }
}

TEST(Layering, ReadsIncludesAsTheCompilerDoes) {
    const std::vector<Include> found = includes_of(
        "#include <vector>\n  #  include \"core/api/engine.h\"\n// #include <no>\nint include;\n#define X "
        "<y>\n");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].name, "vector");
    EXPECT_FALSE(found[0].quoted);
    EXPECT_EQ(found[1].name, "core/api/engine.h");
    EXPECT_TRUE(found[1].quoted);
}

/// The first violation among sound sources and one planted file.
std::string planted(const std::string& path, const std::string& text) {
    Sources sources = {
        {"core/api/engine.h", "#include <string>\n#include \"core/api/events.h\"\n"},
        {"core/api/events.h", "#include <vector>\n"},
        {"core/model/decoder.h", "#include <ATen/core/Tensor.h>\n"},
        {"core/store/store.cpp", "#include <sqlite3.h>\n#include \"core/api/engine.h\"\n"},
        {"ui/panel.h", "#include <QWidget>\n#include \"core/api/engine.h\"\n"},
        {"app/main.cpp", "#include <QApplication>\n#include \"ui/panel.h\"\n"},
    };
    EXPECT_EQ(violations(sources), std::vector<std::string>());
    sources[path] = text;
    const std::vector<std::string> found = violations(sources);
    return found.empty() ? "" : found.front();
}

TEST(Layering, CatchesAPlantedViolation) {
    EXPECT_EQ(planted("core/lab/lab.cpp", "#include <QString>\n"),
              "core/lab/lab.cpp includes QString: core has no Qt");
    EXPECT_EQ(planted("core/lab/lab.cpp", "#include <QtCore/QString>\n"),
              "core/lab/lab.cpp includes QtCore/QString: core has no Qt");
    EXPECT_EQ(planted("core/lab/lab.cpp", "#include \"ui/panel.h\"\n"),
              "core/lab/lab.cpp includes ui/panel.h: core does not know the window");
    EXPECT_EQ(planted("core/text/text.cpp", "#include <torch/types.h>\n"),
              "core/text/text.cpp includes torch/types.h: the base has no tensors");
    EXPECT_EQ(planted("core/api/new.h", "#include <nlohmann/json.hpp>\n"),
              "core/api/new.h includes nlohmann/json.hpp: the public API is the standard library and itself");
    EXPECT_EQ(planted("core/api/new.h", "#include \"core/store/project_file.h\"\n"),
              "core/api/new.h includes core/store/project_file.h: the public API is the standard library and "
              "itself");
    EXPECT_EQ(planted("ui/new.cpp", "#include \"core/model/decoder.h\"\n"),
              "ui/new.cpp includes core/model/decoder.h: the window knows core by its public API only");
    EXPECT_EQ(planted("app/new.cpp", "#include \"core/lab/session.h\"\n"),
              "app/new.cpp includes core/lab/session.h: the window knows core by its public API only");
    EXPECT_EQ(planted("ui/new.cpp", "#include <c10/core/Device.h>\n"),
              "ui/new.cpp includes c10/core/Device.h: tensors and the database belong to core");
    EXPECT_EQ(planted("ui/new.cpp", "#include <sqlite3.h>\n"),
              "ui/new.cpp includes sqlite3.h: tensors and the database belong to core");
    EXPECT_EQ(planted("ui/new.cpp", "#include \"app/settings.h\"\n"),
              "ui/new.cpp includes app/settings.h: ui does not know the programs");
    EXPECT_EQ(
        planted("tests/ui/new_test.cpp", "#include \"ui/panel.h\"\n#include \"core/model/decoder.h\"\n"),
        "tests/ui/new_test.cpp: it sees both Qt and tensors, whose names clash");
}

TEST(Layering, AllowsWhatIsRight) {
    EXPECT_EQ(planted("core/api/new.cpp", "#include \"core/formats/gguf.h\"\n#include <nlohmann/json.hpp>\n"),
              "");
    EXPECT_EQ(planted("core/model/new.cpp", "#include \"core/model/decoder.h\"\n#include <torch/types.h>\n"),
              "");
    EXPECT_EQ(planted("tests/store/new_test.cpp", "#include <sqlite3.h>\n"), "");
    EXPECT_EQ(planted("ui/new.cpp", "#include \"ui/panel.h\"\n#include <queue>\n"), "");
}

}  // namespace
