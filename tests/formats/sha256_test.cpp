#include "core/formats/sha256.h"

#include <gtest/gtest.h>

#include "core/api/errors.h"
#include "core/formats/sha256_blocks.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

std::string hash_of(const std::string& text) {
    return sha256(std::as_bytes(std::span(text)));
}

// FIPS 180-4's examples and the SHAVS byte vectors.
TEST(Sha256, GivesNistsVectors) {
    EXPECT_EQ(hash_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hash_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(
        hash_of(
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
            "mnopqrstnopqrstu"),
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    EXPECT_EQ(hash_of(std::string(1000000, 'a')),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    EXPECT_EQ(hash_of("\xd3"), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1");
    EXPECT_EQ(hash_of("\x11\xaf"), "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98");
    EXPECT_EQ(hash_of("\x74\xba\x25\x21"),
              "b16aa56be3880d18cd41e68384cf1ec8c17680c45a02b1575dc1518923ae8b0e");
}

TEST(Sha256, BothWaysAgreeAtEveryLength) {
    std::string text;
    for (int i = 0; i < 8 * 64; ++i) text += static_cast<char>(i * 37 + i / 5);
    for (std::size_t blocks = 0; blocks <= 8; ++blocks) {
        Sha256State fast = {1, 2, 3, 4, 5, 6, 7, 8}, portable = fast;
        const auto data = std::as_bytes(std::span(text)).first(blocks * sha256_block_size);
        add_sha256_blocks(fast, data);
        add_sha256_blocks_portably(portable, data);
        EXPECT_EQ(fast, portable);
    }
}

TEST(Sha256, IsTheSameHoweverTheDataIsCut) {
    const std::string text(1000, 'a');
    const auto data = std::as_bytes(std::span(text));
    for (const std::size_t cut : {0, 1, 63, 64, 65, 127, 128, 500, 1000}) {
        Sha256 hash;
        hash.add(data.first(cut));
        hash.digest();  // asking in between changes nothing
        hash.add(data.subspan(cut, (1000 - cut) / 2));
        hash.add(data.subspan(cut + (1000 - cut) / 2));
        EXPECT_EQ(hash.digest(), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3") << cut;
    }
}

TEST(Sha256, HashesFiles) {
    const testing::TempFolder folder;
    testing::write_whole(folder / "f", "abc");
    EXPECT_EQ(sha256_of_file(folder / "f"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    testing::write_whole(folder / "f", "");
    EXPECT_EQ(sha256_of_file(folder / "f"),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_THROW(sha256_of_file(folder / "absent"), Error);
}

}  // namespace
}  // namespace plumbline
