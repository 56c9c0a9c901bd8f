#include "proxyd/async/batch.hpp"

#include <boost/asio/defer.hpp>

namespace proxyd::async {

bool Batch::collect(BatchMember& member) {
    if (!busy_) {
        if (++calls_ % kLookEvery == 0) expect_end();
        return false;
    }
    if (member.is_linked()) return true;
    members_.push_back(member);
    ++waiting_;
    expect_end();
    return true;
}

/// What is deferred now comes behind all events that are here already.
void Batch::expect_end() {
    if (end_expected_) return;
    end_expected_ = true;
    events_ = 0;
    boost::asio::defer(io_, [this] { end(); });
}

void Batch::end() {
    end_expected_ = false;
    busy_ = events_ >= kBusy;
    run_members();
}

void Batch::run_members() {
    waiting_ = 0;
    Members now;
    now.swap(members_);
    while (!now.empty()) {
        BatchMember& first = now.front();
        now.pop_front();
        first.at_end_of_batch();
    }
}

}  // namespace proxyd::async
