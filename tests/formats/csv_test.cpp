#include "core/formats/csv.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/golden_file.h"

namespace plumbline {
namespace {

constexpr std::size_t longest = std::size_t{1} << 20;

std::vector<CsvRecord> records(std::string_view text, std::size_t part = std::string::npos, std::size_t cap = longest) {
    std::vector<CsvRecord> out;
    CsvReader reader(cap, [&](CsvRecord& record) { out.push_back(record); });
    while (!text.empty()) {
        reader.push(text.substr(0, part));
        text.remove_prefix(std::min(part, text.size()));
    }
    reader.finish();
    return out;
}

std::vector<std::string> texts(const CsvRecord& record) {
    std::vector<std::string> out;
    for (const CsvCell& cell : record.cells) out.push_back(cell.text);
    return out;
}

TEST(Csv, ReadsWhatPythonWrites) {
    const auto golden = testing::golden_json("csv_rows.json");
    std::ifstream stream(testing::golden_path("csv_rows.csv"), std::ios::binary);
    const std::string file((std::istreambuf_iterator<char>(stream)), {});
    for (const std::size_t part : {std::size_t{1}, std::size_t{7}, std::string::npos}) {
        const std::vector<CsvRecord> all = records(file, part);
        ASSERT_EQ(all.size(), golden["rows"].size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            EXPECT_EQ(texts(all[i]), golden["rows"][i].get<std::vector<std::string>>()) << i;
            EXPECT_EQ(all[i].fault, "");
        }
    }
}

TEST(Csv, WritesWhatItReads) {
    for (const std::string text : {"", "a", "a,b", "\"", "\n", "\r", "a\r\nb", " a", "a ", "é"}) {
        const std::vector<CsvRecord> all = records(csv_cell(text) + "," + csv_cell(text) + "\r\n");
        ASSERT_EQ(all.size(), 1u) << text;
        EXPECT_EQ(texts(all[0]), (std::vector<std::string>{text, text}));
    }
    EXPECT_EQ(csv_cell("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(csv_cell("plain"), "plain");
}

TEST(Csv, TellsAnEmptyTextFromNoValue) {
    const std::vector<CsvRecord> all = records("\"\",,\n");
    ASSERT_EQ(all.size(), 1u);
    ASSERT_EQ(all[0].cells.size(), 3u);
    EXPECT_TRUE(all[0].cells[0].quoted);
    EXPECT_FALSE(all[0].cells[1].quoted);
}

TEST(Csv, KnowsTheLineAndTakesLooseQuotesAsTheyAre) {
    const std::vector<CsvRecord> all = records("a,\"b\nc\"\r\n\nd\"e,\"f\"g\rh");
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].line, 1);
    EXPECT_EQ(all[1].line, 4);
    EXPECT_EQ(texts(all[1]), (std::vector<std::string>{"d\"e", "fg\rh"}));
}

TEST(Csv, SaysWhatIsWrongWithARecord) {
    const std::vector<CsvRecord> open = records("a,b\nc,\"d\ne\n");
    ASSERT_EQ(open.size(), 2u);
    EXPECT_EQ(open[0].fault, "");
    EXPECT_EQ(open[1].fault, "the quote in line 2 is not closed");
    // One byte more than the longest record, and the next one is read again.
    const std::size_t cap = longest;
    const std::string whole = std::string(cap - 1, 'x') + "\n", over = std::string(cap, 'x') + "\n";
    EXPECT_EQ(records(whole + "a\n", 1000, cap)[0].fault, "");
    const std::vector<CsvRecord> all = records(over + "a\n", 1000, cap);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].fault, "it is longer than 1 MiB");
    EXPECT_EQ(texts(all[1]), std::vector<std::string>{"a"});
}

TEST(Csv, TakesAThousandCellsAndNoMore) {
    EXPECT_EQ(records(std::string(1023, ',') + "\n")[0].cells.size(), 1024u);
    const std::vector<CsvRecord> all = records(std::string(100'000, ',') + "\na\n");
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].fault, "it has more than 1024 cells");
    EXPECT_EQ(all[0].cells.size(), 1024u);
    EXPECT_EQ(texts(all[1]), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace plumbline
