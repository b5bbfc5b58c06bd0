// Rows of JSON lines and CSV, whole and damaged.

#include "core/formats/data_rows.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/formats/preferences.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using testing::TempFolder;

class DataRows : public ::testing::Test {
  protected:
    std::filesystem::path file(const std::string& name, const std::string& text) const {
        testing::write_whole(folder_ / name, text);
        return folder_ / name;
    }
    /// Rows as JSON, and "line N: fault" of those that are none.
    std::vector<std::string> rows(const std::filesystem::path& path) const {
        std::vector<std::string> out;
        for_each_row(
            path, "read rows", [&](const DataRow& row) { out.push_back(row.value.dump()); },
            [&](int line, const std::string& fault) { out.push_back("line " + std::to_string(line) + ": " + fault); });
        return out;
    }
    std::string error(const std::filesystem::path& path) const {
        try {
            rows(path);
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }
    const TempFolder folder_;
};

TEST_F(DataRows, OfCsvAreThoseOfJsonLines) {
    const Feedback all = read_feedback(testing::golden_path("csv_rows.csv"));
    EXPECT_EQ(all.skipped, std::vector<std::string>{});
    ASSERT_EQ(all.rows.size(), 6u);
    const auto row = [&](std::size_t i) -> const PreferenceRow& { return std::get<PreferenceRow>(all.rows[i]); };
    EXPECT_EQ(std::get<std::string>(row(0).prompt), "plain");
    EXPECT_EQ(row(1).chosen, "two\nlines");
    EXPECT_EQ(row(1).rejected, "two\r\nlines");
    EXPECT_EQ(row(1).margin, 0.5);
    EXPECT_FALSE(row(1).tie);
    EXPECT_EQ(std::get<std::string>(row(2).prompt), "  spaces  ");
    EXPECT_TRUE(row(2).tie);
    const auto& messages = std::get<std::vector<Message>>(row(3).prompt);
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[0].content, "Say \"no\", or\nnothing.");
    EXPECT_EQ(row(3).rejected, "r");
    EXPECT_EQ(std::get<std::string>(row(4).prompt), "[brackets] are text");
    EXPECT_EQ(row(5).line, 10);   // after the lines within quotes
}

TEST_F(DataRows, OfCsvAreToldByTheirNameOrHeader) {
    const std::string csv = "\xEF\xBB\xBFprompt,chosen,rejected\r\np,c,r\r\n";
    const std::vector<std::string> one{R"({"chosen":"c","prompt":"p","rejected":"r"})"};
    EXPECT_EQ(rows(file("f.csv", csv)), one);
    EXPECT_EQ(rows(file("f", csv)), one);
    EXPECT_NE(error(file("g.csv", "a,b\n1,2\n")).find("has a, b and none of prompt, chosen"), std::string::npos);
    EXPECT_NE(error(file("g.csv", "prompt,prompt\n")).find("\"prompt\" twice"), std::string::npos);
}

TEST_F(DataRows, OfCsvThatAreWrongSayWhy) {
    EXPECT_EQ(rows(file("f.csv", "prompt,completions,ranking,label,unix_time\n"
                                 "p,1\n"
                                 "\xFF,,,,\n"
                                 "p,no list,,,\n"
                                 "\"[{'role': 'user'}]\",,,,\n"
                                 "p,\"[\"\"a\"\",1]\",[0],maybe,1.5\n"
                                 "\"\",[" + std::string(40, '[') + std::string(40, ']') + "],,,\n"
                                 "\"p\n")),
              (std::vector<std::string>{
                  "line 2: it has 2 cells where the header has 5", "line 3: prompt is not UTF-8",
                  R"({"completions":"no list","prompt":"p"})", "line 5: prompt is not a JSON list",
                  R"({"completions":["a",1],"label":"maybe","prompt":"p","ranking":[0],"unix_time":1.5})",
                  "line 7: completions is not a JSON list", "line 8: the quote in line 8 is not closed"}));
}

TEST_F(DataRows, OfJsonThatAreWrongSayWhy) {
    std::string nul = R"({"prompt":"a\u0000b","chosen":"c","rejected":"r"})";
    EXPECT_EQ(rows(file("f.jsonl", "{\"a\":1,\"a\":2}\n{\"a\":{\"b\":1},\"b\":{\"b\":2}}\n{\"a\":\"\xC3\"}\n{\"a\":1e999}\n"
                                   "{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}\n{\"a\":1} x\n")),
              (std::vector<std::string>{"line 1: it has the key \"a\" twice", R"({"a":{"b":1},"b":{"b":2}})",
                                        "line 3: it is not a JSON object: it is not UTF-8",
                                        "line 4: it is not a JSON object (a number is out of range)",
                                        "line 5: it is not a JSON object nested at most 32 deep",
                                        "line 6: it is not a JSON object (character 9 cannot be read)"}));
    const Feedback all = read_feedback(file("f.jsonl", nul + "\n" + R"({"prompt":"p","chosen":"c","rejected":"r"})"));
    EXPECT_EQ(all.skipped, std::vector<std::string>{"line 1: prompt has the character NUL"});
}

TEST_F(DataRows, MayBeLongButNotEndless) {
    constexpr std::size_t cap = std::size_t{16} << 20;
    const std::string begin = "{\"a\":\"", end = "\"}";
    const std::string longest = begin + std::string(cap - begin.size() - end.size(), 'x') + end;
    const std::vector<std::string> all = rows(file("f.jsonl", longest + "\n" + longest + " \n{}\n"));
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].size(), cap);
    EXPECT_EQ(all[1], "line 2: it is longer than 16 MiB");
    EXPECT_EQ(all[2], "{}");
}

std::string gzipped(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()) + 32, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

TEST_F(DataRows, AreReadFromPackedFilesInLittleMemory) {
    const std::vector<std::string> one{R"({"chosen":"c","prompt":"p","rejected":"r"})"};
    EXPECT_EQ(rows(file("f.csv.gz", gzipped("prompt,chosen,rejected\np,c,r\n"))), one);
    // 200 MB of one line, in 200 kB.
    std::string bomb = gzipped(std::string(std::size_t{2} << 20, ' ') + "x"), many;
    for (int i = 0; i < 100; ++i) many += bomb;
    const auto path = file("bomb.jsonl.gz", many);
    const testing::AllocationWatch watch;
    EXPECT_EQ(rows(path), std::vector<std::string>{"line 1: it is longer than 16 MiB"});
    EXPECT_LT(watch.largest(), std::size_t{64} << 20);
}

TEST_F(DataRows, OfOtherKindsOfFilesAreRefusedWithAWayOut) {
    for (const auto& [bytes, words] : std::vector<std::pair<std::string, std::string>>{
             {"PAR1\x15", "Parquet is not supported; make JSON lines of it: python3 -c"},
             {"ARROW1", "Arrow is not supported"},
             {"\x28\xB5\x2F\xFD", "compressed with zstd"},
             {"PK\x03\x04", "compressed with zip"}}) {
        const std::string what = error(file("f", bytes));
        EXPECT_EQ(what.find("read rows: "), 0u) << what;
        EXPECT_NE(what.find(words), std::string::npos) << what;
    }
    EXPECT_NE(error(folder_ / "absent").find("No such file"), std::string::npos);
    EXPECT_NE(error("/dev/null").find("not a regular file"), std::string::npos);
    EXPECT_NE(error("/").find("this is a folder"), std::string::npos);
}

}  // namespace
}  // namespace plumbline
