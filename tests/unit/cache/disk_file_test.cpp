#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "cache/disk/entry_file.hpp"
#include "cache/disk/file_writer.hpp"
#include "support/temp_dir.hpp"

namespace proxyd::cache::disk {
namespace {

namespace fs = std::filesystem;

ChunkPtr chunk(std::string_view bytes) {
    auto made = Chunk::make(nullptr, bytes.size());
    made->append(bytes);
    return made;
}

std::string noise(std::size_t bytes) {
    std::string text(bytes, '\0');
    std::mt19937 random(static_cast<unsigned>(bytes) + 1);
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

boost::intrusive_ptr<StoredHead> head_for(const std::string& text, std::uint64_t body) {
    boost::intrusive_ptr<StoredHead> head(new StoredHead);
    head->key_text = text;
    head->key = key_of(text);
    head->url = "http://a.test/other";
    head->status = 203;
    head->validity = {1'700'000'000'123, 5, 60'000, 30'000, 40'000, true, true, true, 77};
    head->vary = "accept,cookie";
    head->salt = 0x123456789abcdef0;
    head->tags = "red blue";
    head->body_size = body;
    head->add_field("Content-Type", "text/plain");
    head->add_field("ETag", "\"x\"");
    head->add_field("X-Empty", "");
    head->seal();
    return head;
}

void expect_same(const StoredHead& one, const StoredHead& two) {
    EXPECT_EQ(one.key, two.key);
    EXPECT_EQ(one.key_text, two.key_text);
    EXPECT_EQ(one.url, two.url);
    EXPECT_EQ(one.status, two.status);
    EXPECT_EQ(one.validity, two.validity);
    EXPECT_EQ(one.vary, two.vary);
    EXPECT_EQ(one.salt, two.salt);
    EXPECT_EQ(one.tags, two.tags);
    EXPECT_EQ(one.body_size, two.body_size);
    ASSERT_EQ(one.fields().size(), two.fields().size());
    for (std::size_t i = 0; i < one.fields().size(); ++i) {
        EXPECT_EQ(one.fields()[i].name, two.fields()[i].name);
        EXPECT_EQ(one.fields()[i].value, two.fields()[i].value);
    }
}

class DiskFile : public testing::Test {
  protected:
    /// The body in pieces of `piece` bytes, half of them before the end is known.
    std::string write(const StoredHead& head, std::string_view body, std::size_t piece) {
        FileWriter writer(tree, head, 42);
        std::vector<ChunkPtr> chunks;
        const std::size_t half = body.size() / 2;
        for (std::size_t at = 0; at < body.size(); at += piece) {
            chunks.push_back(chunk(body.substr(at, piece)));
            if (at >= half && at < half + piece) {
                EXPECT_EQ(writer.append(chunks), 0);
                chunks.clear();
            }
        }
        EXPECT_EQ(writer.finish(chunks, head), 0);
        EXPECT_EQ(writer.publish(), 0);
        EXPECT_EQ(writer.file_bytes_with(0), fs::file_size(tree.path(head.key)));
        return tree.path(head.key);
    }

    /// Everything, or how it failed.
    static ReadOutcome read(const std::string& path, HeadPtr& head, std::string& body) {
        EntryFile file;
        int error = 0;
        if (const auto outcome = file.open(path, error); outcome != ReadOutcome::good) {
            return outcome;
        }
        head = file.head();
        body.clear();
        std::vector<ChunkPtr> chunks;
        for (std::uint64_t at = 0; at < file.layout().blocks(); at += 2) {
            chunks.clear();
            const auto outcome = file.read(at, 2, chunks, error);
            if (outcome != ReadOutcome::good) return outcome;
            for (const auto& each : chunks) body += each->bytes();
        }
        return ReadOutcome::good;
    }

    test::TempDir temp;
    Tree tree{temp.path().string() + "/zone", {1, 2}};
};

TEST_F(DiskFile, ComesBackAsItWasWritten) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{1000}, std::size_t{16'000}, kBlockBytes - 1,
          kBlockBytes, kBlockBytes + 1, 3 * kBlockBytes, 5 * kBlockBytes + 77}) {
        for (const std::size_t piece : {std::size_t{1'013}, kBlockBytes, std::size_t{1} << 20}) {
            SCOPED_TRACE(std::to_string(size) + " in pieces of " + std::to_string(piece));
            const auto head = head_for("http://a.test/" + std::to_string(size), size);
            const std::string body = noise(size);
            const std::string path = write(*head, body, piece);
            HeadPtr found;
            std::string read_body;
            ASSERT_EQ(read(path, found, read_body), ReadOutcome::good);
            expect_same(*found, *head);
            EXPECT_TRUE(read_body == body);
        }
    }
}

TEST_F(DiskFile, LiesInItsDirectoryAndIsReadByItsOwnerOnly) {
    const auto head = head_for("http://a.test/", 3);
    const std::string path = write(*head, "abc", 3);
    const std::string name(view(hex(head->key)));
    EXPECT_EQ(path, tree.root() + "/" + name.substr(31) + "/" + name.substr(29, 2) + "/" + name);
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(fs::status(tree.root()).permissions(), fs::perms::owner_all);
    EXPECT_EQ(Tree::kind_of(name), Tree::Name::entry);
    EXPECT_EQ(Tree::key_of_name(name), head->key);
    const std::string temporary = fs::path(tree.temporary_path(head->key)).filename();
    EXPECT_EQ(Tree::kind_of(temporary), Tree::Name::temporary);
    EXPECT_NE(temporary, fs::path(tree.temporary_path(head->key)).filename());
    for (const auto* foreign : {"", "README", "0123", "tmp-1", "0123456789ABCDEF0123456789ABCDEF",
                                "0123456789abcdef0123456789abcdef0", "../x"}) {
        EXPECT_EQ(Tree::kind_of(foreign), Tree::Name::foreign) << foreign;
    }
}

TEST_F(DiskFile, WhatIsNotPublishedIsRemoved) {
    const auto head = head_for("http://a.test/", 3);
    {
        FileWriter writer(tree, *head, 1);
        ASSERT_EQ(writer.append({chunk("abc")}), 0);
        EXPECT_FALSE(fs::exists(tree.path(head->key)));
    }
    for (const auto& each : fs::recursive_directory_iterator(tree.root())) {
        EXPECT_TRUE(each.is_directory()) << each.path();
    }
}

TEST_F(DiskFile, ABodyOfAnotherSizeThanItsHeadSaysIsNotFinished) {
    const auto head = head_for("http://a.test/", 4);
    FileWriter writer(tree, *head, 1);
    EXPECT_EQ(writer.finish({chunk("abc")}, *head), EINVAL);
}

TEST_F(DiskFile, AHeadThatGrowsIsCopiedWithItsBody) {
    const std::string body = noise(3 * kBlockBytes + 5);
    const auto head = head_for("http://a.test/", body.size());
    const std::string path = write(*head, body, 10'000);
    EntryFile file;
    int error = 0;
    ASSERT_EQ(file.open(path, error), ReadOutcome::good);
    auto larger = head->copy();
    larger->add_field("X-Large", std::string(5'000, 'x'));
    larger->seal();
    std::string copy;
    ASSERT_EQ(copy_with_head(tree, file.descriptor(), file.layout(), *larger, 99, copy), 0);
    HeadPtr found;
    std::string read_body;
    ASSERT_EQ(read(copy, found, read_body), ReadOutcome::good);
    expect_same(*found, *larger);
    EXPECT_TRUE(read_body == body);
}

std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void replace(const std::string& path, std::string_view bytes) {
    // A file that was emptied first would be written to the disk at once by some file systems.
    const Descriptor file(::open(path.c_str(), O_WRONLY));
    ASSERT_EQ(write_at(file.get(), bytes, 0), 0);
    ASSERT_EQ(::ftruncate(file.get(), static_cast<off_t>(bytes.size())), 0);
}

/// What is broken is never taken for whole: either it is refused, or (a flip in the room behind the
/// head) nothing of it has changed.
TEST_F(DiskFile, EveryFlippedByteAndEveryCutIsNoticed) {
    const std::string body = noise(300);
    const auto head = head_for("http://a.test/", body.size());
    const std::string path = write(*head, body, 100);
    const std::string good = content(path);
    std::size_t refused = 0;
    const auto check = [&](std::string_view bytes) {
        replace(path, bytes);
        HeadPtr found;
        std::string read_body;
        if (read(path, found, read_body) != ReadOutcome::good) {
            ++refused;
            return;
        }
        expect_same(*found, *head);
        EXPECT_EQ(read_body, body);
    };
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
            std::string bad = good;
            bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ flip);
            check(bad);
        }
    }
    const std::size_t guarded =
        kPreambleBytes + encode_head(*head).size() + body.size() + kCheckBytes + kTrailerBytes;
    EXPECT_EQ(refused, 3 * guarded);
    for (std::size_t size = 0; size < good.size(); ++size) {
        HeadPtr found;
        std::string read_body;
        replace(path, std::string_view(good).substr(0, size));
        EXPECT_EQ(read(path, found, read_body), ReadOutcome::broken) << size;
    }
    HeadPtr found;
    std::string read_body;
    replace(path, good + "x");
    EXPECT_EQ(read(path, found, read_body), ReadOutcome::broken);
    replace(path, good);
    EXPECT_EQ(read(path, found, read_body), ReadOutcome::good);
}

/// Lengths that a checksum would have to vouch for are checked all the same.
TEST_F(DiskFile, LengthsThatCannotBeAreRefusedWithoutMemory) {
    const auto head = head_for("http://a.test/", 0);
    const std::string good = content(write(*head, "", 1));
    for (std::size_t at = 12; at < kPreambleBytes; at += 4) {
        for (const std::uint32_t value : {0U, 1U, 63U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
            std::string bad = good;
            std::memcpy(bad.data() + at, &value, sizeof value);
            if (bad == good) continue;
            const auto preamble = decode_preamble(bad);
            EXPECT_TRUE(!preamble || !decode_head(*preamble, bad));
        }
    }
}

/// Behind the checksums: whoever writes good ones can make us refuse, nothing else.
TEST_F(DiskFile, AnyBytesAreDecodedOrRefused) {
    const std::string good = encode_head(*head_for("http://a.test/", 0));
    ASSERT_TRUE(decode_encoded(good));
    std::mt19937 random(3);
    std::size_t refused = 0;
    for (int i = 0; i < 50'000; ++i) {
        std::string bad = good.substr(0, i % 3 == 0 ? random() % good.size() : good.size());
        for (unsigned n = 0; n < 1 + random() % 4 && !bad.empty(); ++n) {
            bad[random() % bad.size()] = static_cast<char>(random() % 3 == 0 ? 0xff : random());
        }
        const HeadPtr head = decode_encoded(bad);
        if (!head) ++refused;
        EXPECT_TRUE(!head || encode_head(*head).size() == bad.size());
    }
    EXPECT_GT(refused, 10'000U);
}

TEST_F(DiskFile, BlocksAreGoodInTheirOwnPlaceOnly) {
    const std::string body = noise(2 * kBlockBytes);
    const auto head = head_for("http://a.test/", body.size());
    const std::string path = write(*head, body, kBlockBytes);
    std::string bytes = content(path);
    const std::size_t first = body_place(encode_head(*head).size());
    const std::size_t size = kBlockBytes + kCheckBytes;
    std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(first),
                     bytes.begin() + static_cast<std::ptrdiff_t>(first + size),
                     bytes.begin() + static_cast<std::ptrdiff_t>(first + size));
    replace(path, bytes);
    HeadPtr found;
    std::string read_body;
    EXPECT_EQ(read(path, found, read_body), ReadOutcome::broken);
}

TEST_F(DiskFile, WhatIsNoFileOfOursIsNoEntry) {
    HeadPtr found;
    std::string body;
    EXPECT_EQ(read(temp.path().string() + "/nothing", found, body), ReadOutcome::absent);
    EXPECT_EQ(read(temp.path().string(), found, body), ReadOutcome::broken);
    const std::string link = temp.path().string() + "/link";
    const auto head = head_for("http://a.test/", 3);
    fs::create_symlink(write(*head, "abc", 3), link);
    EXPECT_EQ(read(link, found, body), ReadOutcome::failed);
    ASSERT_EQ(::mkfifo((temp.path().string() + "/fifo").c_str(), 0600), 0);
    EXPECT_EQ(read(temp.path().string() + "/fifo", found, body), ReadOutcome::broken);
}

}  // namespace
}  // namespace proxyd::cache::disk
