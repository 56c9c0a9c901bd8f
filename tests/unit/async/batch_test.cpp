#include "proxyd/async/batch.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <memory>
#include <vector>

namespace proxyd::async {
namespace {

class BatchTest : public testing::Test {
  protected:
    struct Member final : BatchMember {
        Member(BatchTest& its_test, int its_number) : test(its_test), number(its_number) {}
        void at_end_of_batch() override { test.told.push_back(number); }
        BatchTest& test;
        int number;
    };

    /// Events that are ready together: each is handled after the one before it.
    void events(int count, std::function<void(int)> handle) {
        for (int i = 0; i < count; ++i) {
            boost::asio::post(io, [this, i, handle] {
                handle(i);
                batch.event_done();
            });
        }
        io.restart();
        io.run();
    }

    /// The loop has seen many events come together.
    void make_busy() {
        events(200, [this](int) {
            Member member(*this, 0);
            (void)batch.collect(member);
        });
        told.clear();
    }

    boost::asio::io_context io{1};
    Batch batch{io};
    std::vector<int> told;
};

TEST_F(BatchTest, AnIdleLoopCollectsNothing) {
    for (int round = 0; round < 500; ++round) {
        events(1, [this](int) {
            Member member(*this, 0);
            EXPECT_FALSE(batch.collect(member));
        });
    }
    EXPECT_TRUE(told.empty());
}

TEST_F(BatchTest, ABusyLoopTellsAllAfterTheLastEvent) {
    make_busy();
    std::vector<std::unique_ptr<Member>> members;
    std::size_t told_early = 0;
    events(10, [&](int i) {
        members.push_back(std::make_unique<Member>(*this, i));
        EXPECT_TRUE(batch.collect(*members.back()));
        EXPECT_TRUE(batch.collect(*members.back())) << "a second time changes nothing";
        told_early += told.size();
    });
    EXPECT_EQ(told_early, 0U);
    EXPECT_EQ(told, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(BatchTest, WhoIsDestroyedIsNotTold) {
    make_busy();
    events(5, [&](int i) {
        Member gone(*this, i);
        EXPECT_TRUE(batch.collect(gone));
    });
    EXPECT_TRUE(told.empty());
}

TEST_F(BatchTest, TheEndIsAtMost32MembersAway) {
    make_busy();
    std::vector<std::unique_ptr<Member>> members;
    std::size_t waiting = 0;
    events(100, [&](int i) {
        members.push_back(std::make_unique<Member>(*this, i));
        const std::size_t before = told.size();
        EXPECT_TRUE(batch.collect(*members.back()));
        EXPECT_EQ(told.size(), before) << "nobody is called back while joining";
        waiting = std::max(waiting, members.size() - told.size());
    });
    EXPECT_EQ(told.size(), 100U);
    EXPECT_EQ(waiting, 32U);
}

TEST_F(BatchTest, ALoopThatWasBusyStopsWaiting) {
    make_busy();
    Member first(*this, 1);
    events(1, [&](int) { EXPECT_TRUE(batch.collect(first)); });
    EXPECT_EQ(told, (std::vector<int>{1}));
    Member second(*this, 2);
    events(1, [&](int) { EXPECT_FALSE(batch.collect(second)); });
}

}  // namespace
}  // namespace proxyd::async
