#include "certificate_watch.hpp"

#include <algorithm>
#include <ctime>
#include <set>
#include <thread>

#include "certificate_files.hpp"
#include "proxyd/base/log.hpp"

namespace proxyd::server {
namespace {

using std::chrono::milliseconds;

/// Writers write a certificate and a key one after the other.
constexpr milliseconds kSettle{300};
/// A writer that does not come to rest is not waited for longer.
constexpr milliseconds kLongestSettle{1'000};
constexpr milliseconds kAgain{1'000};
/// After kManyTries.
constexpr milliseconds kAgainLater{10'000};
constexpr unsigned kManyTries = 60;
/// For what inotify does not see: network file systems, files that are mounted one by one.
constexpr milliseconds kPoll{60'000};
/// Where inotify was refused: it wants the right to read the directory, the files do not.
constexpr milliseconds kPollAlone{1'000};
constexpr milliseconds kDaily{86'400'000};
constexpr std::int64_t kDay = 86'400;

/// The one that ends first.
const net::tls::Certificate& first_to_end(const net::tls::CertificateSlot::Set& set) {
    return **std::min_element(set.begin(), set.end(), [](const auto& a, const auto& b) {
        return a->not_after() < b->not_after();
    });
}

}  // namespace

class CertificateWatch::Impl : public std::enable_shared_from_this<Impl> {
  public:
    Impl(async::Loop& loop, UnixTime time)
        : loop_(loop),
          time_(std::move(time)),
          settled_(loop.wheel(), call<&Impl::look_at_due>, this),
          again_(loop.wheel(), call<&Impl::look_at_broken>, this),
          poll_(loop.wheel(), call<&Impl::poll>, this),
          daily_(loop.wheel(), call<&Impl::tell_expiry>, this) {}

    void watch(std::shared_ptr<const config::Snapshot> snapshot);
    void stop();
    [[nodiscard]] std::vector<CertificateStatus> status() const;

  private:
    using Entries = std::vector<CertificateEntry>;
    using Looks = std::vector<CertificateLook>;

    template <void (Impl::*Member)()>
    static void call(void* self) {
        (static_cast<Impl*>(self)->*Member)();
    }

    void open_directories();
    void changed(std::size_t index);
    void look_at_due();
    void look_at_broken();
    void poll();
    void tell_expiry();
    void look(std::vector<std::size_t> indices, bool only_changed);
    void looked(const std::shared_ptr<Entries>& at, Looks looks);
    void take(CertificateEntry& entry, CertificateLook look);
    void failed(CertificateEntry& entry, std::string problem);
    void arm_again();

    async::Loop& loop_;
    const UnixTime time_;
    std::shared_ptr<const config::Snapshot> snapshot_;
    /// Not changed while the thread looks at them.
    std::shared_ptr<Entries> entries_ = std::make_shared<Entries>();
    std::shared_ptr<DirectoryWatch> directories_;
    std::set<std::size_t> due_;
    async::Milliseconds due_since_ = 0;
    bool busy_ = false;
    bool all_watched_ = true;
    bool told_refusal_ = false;
    bool told_expiry_ = false;
    async::Deadline settled_, again_, poll_, daily_;
    std::jthread thread_;
};

void CertificateWatch::Impl::watch(std::shared_ptr<const config::Snapshot> snapshot) {
    if (snapshot == snapshot_) return;  // only addresses are new
    snapshot_ = std::move(snapshot);
    entries_ = std::make_shared<Entries>(entries_of(*snapshot_));
    thread_.request_stop();
    if (directories_) directories_->close();
    directories_ = nullptr;
    due_.clear();
    settled_.disarm();
    again_.disarm();
    poll_.disarm();
    if (entries_->empty()) return daily_.disarm();
    open_directories();
    // Also reads what was written since the configuration was loaded.
    for (std::size_t i = 0; i < entries_->size(); ++i) due_.insert(i);
    due_since_ = loop_.now();
    look_at_due();
    if (!std::exchange(told_expiry_, true)) tell_expiry();
    if (!daily_.armed()) daily_.arm(kDaily);
}

void CertificateWatch::Impl::open_directories() {
    directories_ =
        std::make_shared<DirectoryWatch>(loop_, [this](std::size_t index) { changed(index); });
    all_watched_ = directories_->open();
    if (!all_watched_) directories_ = nullptr;
}

void CertificateWatch::Impl::stop() {
    if (directories_) directories_->close();
    for (async::Deadline* each : {&settled_, &again_, &poll_, &daily_}) each->disarm();
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    entries_ = std::make_shared<Entries>();
    busy_ = true;  // nothing begins any more
}

void CertificateWatch::Impl::changed(std::size_t index) {
    if (due_.empty()) due_since_ = loop_.now();
    due_.insert(index);
    const milliseconds waited{loop_.now() - due_since_};
    settled_.arm(std::max(milliseconds{1}, std::min(kSettle, kLongestSettle - waited)));
}

void CertificateWatch::Impl::look_at_due() {
    if (busy_ || due_.empty()) return;  // looked() comes back to it
    std::vector<std::size_t> indices(due_.begin(), due_.end());
    due_.clear();
    look(std::move(indices), false);
}

void CertificateWatch::Impl::look_at_broken() {
    if (busy_) return again_.arm(kSettle);
    std::vector<std::size_t> broken;
    for (std::size_t i = 0; i < entries_->size(); ++i) {
        if (!(*entries_)[i].problem.empty()) broken.push_back(i);
    }
    if (!broken.empty()) look(std::move(broken), false);
}

void CertificateWatch::Impl::poll() {
    if (busy_) return poll_.arm(kAgain);
    std::vector<std::size_t> all(entries_->size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    look(std::move(all), true);
}

void CertificateWatch::Impl::look(std::vector<std::size_t> indices, bool only_changed) {
    busy_ = true;
    thread_ = std::jthread([this, self = weak_from_this(), &loop = loop_, entries = entries_,
                            directories = directories_, indices = std::move(indices),
                            only_changed](const std::stop_token& stop) {
        Looks looks;
        for (const std::size_t index : indices) {
            if (stop.stop_requested()) break;
            const CertificateEntry& entry = (*entries)[index];
            if (only_changed && !has_changed(entry)) continue;
            looks.push_back(look_at(entry, index, directories.get()));
        }
        loop.post([this, self, entries, looks = std::move(looks)]() mutable {
            if (const auto alive = self.lock()) looked(entries, std::move(looks));
        });
    });
}

void CertificateWatch::Impl::looked(const std::shared_ptr<Entries>& at, Looks looks) {
    busy_ = false;
    if (at == entries_ && !at->empty()) {
        for (CertificateLook& look : looks) take((*at)[look.index], std::move(look));
        if (directories_) directories_->bound();
        if (!all_watched_ && !std::exchange(told_refusal_, true)) {
            log::warn(
                "not every certificate's directory can be watched (may it be read? fs.inotify "
                "limits?): the files are looked at every second");
        }
        arm_again();
        poll_.arm(all_watched_ ? kPoll : kPollAlone);
    }
    // What came meanwhile, or a new configuration.
    if (!due_.empty() && !settled_.armed()) look_at_due();
}

void CertificateWatch::Impl::take(CertificateEntry& entry, CertificateLook look) {
    entry.signature = std::move(look.signature);
    all_watched_ = all_watched_ && look.watched;
    for (const DirectoryWatch::Bond& bond : look.bonds) {
        if (bond.watch >= 0 && directories_) directories_->bind(bond, look.index);
    }
    if (!look.problem.empty()) return failed(entry, std::move(look.problem));
    const bool was_broken = !std::exchange(entry.problem, {}).empty();
    entry.failures = 0;
    if (look.next) {
        const auto& certificate = first_to_end(*look.next);
        log::info("the certificate of {} is renewed from {}: valid until {}", entry.hosts(),
                  entry.tls->files.front().certificate, config::day_of(certificate.not_after()));
        entry.tls->certificates->replace(std::move(*look.next));
    } else if (was_broken) {
        log::info("the certificate files of {} are those that are served again", entry.hosts());
    }
}

/// Said once, and again when the reason changes.
void CertificateWatch::Impl::failed(CertificateEntry& entry, std::string problem) {
    ++entry.failures;
    if (entry.problem == problem) return;
    log::error("the certificate of {} stays as it was: {}", entry.hosts(), problem);
    entry.problem = std::move(problem);
}

void CertificateWatch::Impl::arm_again() {
    milliseconds soonest{0};
    for (const CertificateEntry& entry : *entries_) {
        if (entry.problem.empty()) continue;
        const milliseconds wait = entry.failures < kManyTries ? kAgain : kAgainLater;
        soonest = soonest.count() == 0 ? wait : std::min(soonest, wait);
    }
    again_.arm(soonest);  // 0 = never
}

void CertificateWatch::Impl::tell_expiry() {
    daily_.arm(kDaily);
    const std::int64_t now = time_();
    for (const CertificateEntry& entry : *entries_) {
        const auto set = entry.tls->certificates->current();
        const std::int64_t end = first_to_end(*set).not_after();
        const std::string& file = entry.tls->files.front().certificate;
        if (end <= now) {
            log::error("the certificate of {} ({}) expired on {}", entry.hosts(), file,
                       config::day_of(end));
        } else if (end - now < config::kExpiresSoonDays * kDay) {
            log::warn("the certificate of {} ({}) expires in {} days, on {}", entry.hosts(), file,
                      (end - now) / kDay, config::day_of(end));
        }
    }
}

std::vector<CertificateStatus> CertificateWatch::Impl::status() const {
    std::vector<CertificateStatus> all;
    const std::int64_t now = time_();
    for (const CertificateEntry& entry : *entries_) {
        const auto set = entry.tls->certificates->current();
        for (std::size_t i = 0; i < set->size() && i < entry.tls->files.size(); ++i) {
            CertificateStatus& status = all.emplace_back();
            status.host = entry.host;
            status.other_hosts = entry.others;
            status.file = entry.tls->files[i].certificate;
            status.not_after = (*set)[i]->not_after();
            const std::int64_t left = status.not_after - now;
            status.days_left = left < 0 ? -((-left + kDay - 1) / kDay) : left / kDay;
            status.problem = entry.problem;
        }
    }
    return all;
}

CertificateWatch::CertificateWatch(async::Loop& loop, UnixTime time)
    : impl_(std::make_shared<Impl>(
          loop, time ? std::move(time) : UnixTime([] { return std::time(nullptr); }))) {}
CertificateWatch::~CertificateWatch() {
    impl_->stop();
}
void CertificateWatch::watch(std::shared_ptr<const config::Snapshot> snapshot) {
    impl_->watch(std::move(snapshot));
}
void CertificateWatch::stop() {
    impl_->stop();
}
std::vector<CertificateStatus> CertificateWatch::status() const {
    return impl_->status();
}

}  // namespace proxyd::server
