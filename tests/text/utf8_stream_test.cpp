#include "core/text/utf8_stream.h"

#include <gtest/gtest.h>

namespace plumbline {
namespace {

// 1, 2, 3 and 4 bytes a character.
const std::string mixed = "aé€😀\n日本語 ñ👩‍🚀z";

TEST(Utf8Stream, GivesWholeCharactersWhereverTheBytesAreCut) {
    for (std::size_t first = 0; first <= mixed.size(); ++first) {
        for (std::size_t second = first; second <= mixed.size(); ++second) {
            Utf8Stream stream;
            std::string out;
            const std::size_t cuts[] = {0, first, second, mixed.size()};
            for (int part = 0; part < 3; ++part) {
                const std::string given = stream.push(mixed.substr(cuts[part], cuts[part + 1] - cuts[part]));
                ASSERT_EQ(given, valid_utf8(given)) << "part of a character given out";
                out += given;
            }
            ASSERT_EQ(out, mixed) << first << ' ' << second;
            ASSERT_EQ(stream.finish(), "");
        }
    }
}

TEST(Utf8Stream, HoldsAnUnfinishedCharacterBack) {
    Utf8Stream stream;
    EXPECT_EQ(stream.push("a\xF0\x9F\x98"), "a");
    EXPECT_EQ(stream.push(""), "");
    EXPECT_EQ(stream.push("\x80!"), "😀!");
    EXPECT_EQ(stream.push("\xE2\x82"), "");
    EXPECT_EQ(stream.finish(), "\uFFFD");
    EXPECT_EQ(stream.finish(), "");
}

// The examples of the Unicode standard, section 3.9, table 3-8: one U+FFFD for each longest broken beginning.
TEST(Utf8Stream, ReplacesInvalidBytesAsTheStandardRecommends) {
    EXPECT_EQ(valid_utf8("a\xF1\x80\x80\xE1\x80\xC2"
                         "b\x80"
                         "c\x80\xBF"
                         "d"),
              "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
    EXPECT_EQ(valid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
              "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"
              "A");
    EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");            // a surrogate
    EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
    EXPECT_EQ(valid_utf8("x\xE2\x82"), "x\uFFFD");
    EXPECT_EQ(valid_utf8(mixed), mixed);
}

TEST(Utf8Stream, EqualsTheWholeTextForAnyBytes) {
    // All pairs of a lead byte and a following byte, streamed byte by byte.
    for (int lead = 0; lead < 256; ++lead) {
        for (int next = 0; next < 256; ++next) {
            const std::string bytes = {
                static_cast<char>(lead), static_cast<char>(next), 'z', '\xE2', '\x82', '\xAC'};
            Utf8Stream stream;
            std::string out;
            for (const char byte : bytes) out += stream.push({&byte, 1});
            out += stream.finish();
            ASSERT_EQ(out, valid_utf8(bytes)) << lead << ' ' << next;
        }
    }
}

}  // namespace
}  // namespace plumbline
