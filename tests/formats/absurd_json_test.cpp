// JSON that is valid by the letter and meant to harm, or nearly valid, in every place that reads JSON: refused with an
// Error, without a crash.

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/formats/demonstrations.h"
#include "core/formats/peft.h"
#include "core/formats/preferences.h"
#include "core/formats/safetensors.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

/// An object, with the given member beside what the place needs.
using Reader = std::function<void(const std::string& object)>;

std::string repeated(const std::string& text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

class AbsurdJson : public ::testing::Test {
  protected:
    AbsurdJson() {
        const auto lines = [this](const char* name, auto read) {
            return [this, name, read](const std::string& object) {
                testing::write_whole(folder_ / name, object);
                read(folder_ / name);
            };
        };
        readers_["feedback"] = lines("feedback.jsonl", [](const auto& path) { read_feedback(path); });
        readers_["demonstrations"] = lines("rows.jsonl", [](const auto& path) { read_demonstrations(path); });
        readers_["requests"] = lines("requests.jsonl", [](const auto& path) {
            const auto rows = read_score_requests(path);
            if (!rows.at(0).fault.empty()) throw Error("row", rows.at(0).fault);
        });
        readers_["safetensors"] = [this](const std::string& object) {
            std::string length(8, '\0');
            for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(object.size() >> 8 * i & 255);
            testing::write_whole(folder_ / "f", length + object);
            const SafetensorsFile file(folder_ / "f");
        };
        readers_["adapter_config.json"] = [this](const std::string& object) {
            testing::write_whole(folder_ / "adapter_config.json", object);
            read_peft(folder_.path());
        };
    }

    void expect_refused(const std::string& object, const std::string& what) {
        for (const auto& [name, read] : readers_) {
            EXPECT_THROW(read(object), Error) << name << ": " << what;
        }
    }

    testing::TempFolder folder_;
    std::map<std::string, Reader> readers_;
};

TEST_F(AbsurdJson, NestedWithoutMeasure) {
    constexpr std::size_t deep = 200'000;
    const std::string lists = repeated("[", deep) + repeated("]", deep);
    const std::string objects = repeated("{\"r\":", deep) + "1" + repeated("}", deep);
    for (const std::string& value : {lists, objects, repeated("[", deep)}) {
        for (const char* key : {"prompt", "peft_type", "unknown", "__metadata__"}) {
            expect_refused("{\"" + std::string(key) + "\":" + value + "}", key);
        }
    }
    expect_refused(lists, "no object at all");
}

TEST_F(AbsurdJson, WithTheSameKeyTwice) {
    expect_refused(R"({"peft_type": "LORA", "peft_type": "LORA", "prompt": "a", "prompt": "a"})", "twice");
}

TEST_F(AbsurdJson, WithAQuarterOfAMillionKeys) {   // a search through all of them for each would take minutes
    std::string object = "{";
    for (int i = 0; i < 250'000; ++i) object += "\"" + std::to_string(i) + "\":[],";
    expect_refused(object + "\"prompt\": 5}", "many keys");
}

TEST_F(AbsurdJson, WithTextsAndNumbersThatAreNone) {
    for (const char* value : {"1e999", "-1e999", "\"\xff\"", "\"\xed\xa0\x80\"", "\"\\ud800\"", "\"\\u12\"", "01", "+1",
                              "NaN", "Infinity", "1.", "\"\t\"", "\"", "[1,]", "{\"a\":1,}", "tru", "'a'", "/**/1"}) {
        expect_refused("{\"r\": " + std::string(value) + "}", value);
    }
    expect_refused("", "nothing");
    expect_refused("null", "null");
    expect_refused(std::string(1, '\0'), "a zero");
    expect_refused("{} {}", "two objects");
}

}  // namespace
}  // namespace plumbline
