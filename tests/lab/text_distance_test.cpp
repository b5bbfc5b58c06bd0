// Word distances derived by hand.

#include "core/lab/text_distance.h"

#include <gtest/gtest.h>

namespace plumbline {
namespace {

TEST(WordDistance, OfEqualTextsIsZero) {
    EXPECT_EQ(word_distance("", ""), 0);
    EXPECT_EQ(word_distance("one two", "one two"), 0);
    EXPECT_EQ(word_distance(" one\n\ttwo ", "one two"), 0) << "only words count";
    EXPECT_EQ(word_distance(" \n", ""), 0);
}

TEST(WordDistance, OfTextsWithNothingInCommonIsOne) {
    EXPECT_EQ(word_distance("one two", "three four"), 1);
    EXPECT_EQ(word_distance("", "three four five"), 1);
    EXPECT_EQ(word_distance("one", "Two words"), 1) << "one replaced, one added, of two";
    EXPECT_EQ(word_distance("Yes", "yes"), 1) << "letters' case is a difference";
}

TEST(WordDistance, CountsTheFewestEdits) {
    EXPECT_DOUBLE_EQ(word_distance("a b c d", "a b x d"), 1.0 / 4) << "one replaced";
    EXPECT_DOUBLE_EQ(word_distance("a b c d", "b c d"), 1.0 / 4) << "one removed";
    EXPECT_DOUBLE_EQ(word_distance("a b", "a x y b z"), 3.0 / 5) << "three added";
    EXPECT_DOUBLE_EQ(word_distance("a b c d e", "b c d e a"), 2.0 / 5) << "one moved: removed and added";
    EXPECT_DOUBLE_EQ(word_distance("the cat sat", "sat the cat"),
                     word_distance("sat the cat", "the cat sat"));
}

}  // namespace
}  // namespace plumbline
