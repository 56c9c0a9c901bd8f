#include "cache/disk/disk_zone.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "cache/disk/keeper.hpp"
#include "cache/disk/purge_file.hpp"

namespace proxyd::cache::disk {
namespace {

/// Whether `head` speaks of the body that lies in the file. The look-up that `head` comes from may
/// be older than the file.
bool fits_body(const StoredHead& head, const StoredHead& stored) {
    return !stored.is_marker() && head.body_size == stored.body_size &&
           head.field(http::FieldId::etag) == stored.field(http::FieldId::etag);
}

}  // namespace

DiskZone::DiskZone(const DiskOptions& options, async::Offload& pool)
    : name_(options.zone),
      tree_(options.path, options.levels),
      pool_(pool),
      max_size_(options.limits.max_size),
      inactive_(options.limits.inactive.count()),
      trouble_(options.zone, options.path) {
    // Before anybody asks: what was purged must not be served.
    load_open_purges();
    keeper_ = std::thread([this] { keep(*this); });
}

DiskZone::~DiskZone() {
    {
        const std::lock_guard lock(ending_mutex_);
        ending_ = true;
        ending_changed_.notify_all();
    }
    keeper_.join();
}

bool DiskZone::ending_within(std::chrono::milliseconds time) {
    std::unique_lock lock(ending_mutex_);
    return ending_changed_.wait_for(lock, time, [this] { return ending_; });
}

void DiskZone::set_limits(const DiskLimits& limits) noexcept {
    max_size_ = limits.max_size;
    inactive_ = limits.inactive.count();
}

Tick DiskZone::now() const noexcept {
    const auto age = std::chrono::steady_clock::now() - born_;
    return 1 +
           static_cast<Tick>(std::chrono::duration_cast<std::chrono::microseconds>(age).count());
}

// Looking -----------------------------------------------------------------------------------------

ReadOutcome DiskZone::open_file(const Key& key, EntryFile& file, int& error) {
    const ReadOutcome outcome = file.open(tree_.path(key), error);
    if (outcome == ReadOutcome::failed) trouble_.read_failed(error);
    if (outcome != ReadOutcome::good) return outcome;
    trouble_.read_worked();
    return file.head()->key == key ? outcome : ReadOutcome::broken;
}

bool DiskZone::open(const Key& key, const std::string* text, EntryFile& file) {
    int error = 0;
    ReadOutcome outcome = open_file(key, file, error);
    if (outcome == ReadOutcome::absent || outcome == ReadOutcome::broken) {
        const std::lock_guard lock(lock_of(key));
        outcome = open_file(key, file, error);  // nobody writes to it now
        if (outcome == ReadOutcome::absent) index_.erase(key);
        if (outcome == ReadOutcome::broken) {
            trouble_.found_broken(tree_.path(key));
            unlink_locked(key);
        }
    }
    if (outcome != ReadOutcome::good) return false;
    if (text != nullptr && file.head()->key_text != *text) return false;
    const PurgeLog::Finding finding = log_.find(*file.head(), file.layout().begun_at);
    if (finding.verdict == PurgeLog::Verdict::gone) {
        remove_file(key, finding.at);
        return false;
    }
    if (finding.verdict == PurgeLog::Verdict::stale) file.expire(finding.at / 1000);
    return true;
}

/// While the index is being filled, a request may be faster than the scan.
void DiskZone::used(const Key& key, const EntryFile& file) {
    if (index_.touch(key, now()) || !loading_) return;
    const std::lock_guard lock(lock_of(key));
    EntryFile again;
    int error = 0;
    if (open_file(key, again, error) != ReadOutcome::good) return;
    if (!index_.add_found(key, Index::counted(file.layout().file_bytes()))) return;
    index_.set_traits(key, traits_of(*again.head()));
    index_.touch(key, now());
}

void DiskZone::examine(const Key& key) {
    EntryFile file;
    if (!open(key, nullptr, file)) return;
    index_.set_traits(key, traits_of(*file.head()));
    const PurgeLog::Finding finding = log_.find(*file.head(), file.layout().begun_at);
    if (finding.verdict != PurgeLog::Verdict::stale) return;
    const std::lock_guard lock(lock_of(key));
    EntryFile again;
    int error = 0;
    if (open_file(key, again, error) != ReadOutcome::good) return;
    if (expire_locked(again, finding.at) != 0) unlink_locked(key);
}

void DiskZone::save_open_purges() {
    const std::lock_guard lock(purges_file_);
    const int error = save_purges(tree_.root(), log_.open_purges());
    if (error != 0 && error != ENOENT) trouble_.write_failed(error);
}

void DiskZone::load_open_purges() {
    for (OpenPurge& purge : load_purges(tree_.root())) log_.restore(std::move(purge));
}

// Changing ----------------------------------------------------------------------------------------

/// A directory that can't be written keeps its file; without the index nobody finds it.
void DiskZone::unlink_locked(const Key& key) {
    index_.erase(key);
    if (::unlink(tree_.path(key).c_str()) != 0 && errno != ENOENT) trouble_.write_failed(errno);
}

bool DiskZone::make_room(std::uint64_t bytes) {
    index_.take(bytes);
    const std::uint64_t limit = max_size_;
    while (limit != 0 && index_.bytes() > limit) {
        const auto oldest = index_.pop_oldest();
        if (!oldest) {
            index_.give_back(bytes);
            return false;
        }
        const std::lock_guard lock(lock_of(*oldest));
        if (!index_.contains(*oldest)) unlink_locked(*oldest);
    }
    return true;
}

void DiskZone::remove_unused() {
    const auto ticks = static_cast<Tick>(inactive_ * 1000);
    const Tick now = this->now();
    while (now > ticks) {
        const auto unused = index_.pop_older_than(now - ticks);
        if (!unused) break;
        const std::lock_guard lock(lock_of(*unused));
        if (!index_.contains(*unused)) unlink_locked(*unused);
    }
}

void DiskZone::publish(FileWriter& writer, const StoredHead& head, Moment begun,
                       std::uint64_t counted) {
    using Verdict = PurgeLog::Verdict;
    const std::lock_guard lock(lock_of(head.key));
    if (log_.find_fill(head, begun).verdict == Verdict::gone) {
        return index_.give_back(counted);
    }
    if (const int error = writer.publish(); error != 0) {
        trouble_.write_failed(error);
        return index_.give_back(counted);
    }
    index_.put(head.key, counted, traits_of(head), now());
    trouble_.write_worked();
    // Who removed or purged it while it was put has not seen it.
    const PurgeLog::Finding finding = log_.find_fill(head, begun);
    if (finding.verdict == Verdict::gone) unlink_locked(head.key);
    if (finding.verdict != Verdict::stale) return;
    EntryFile file;
    int error = 0;
    if (open_file(head.key, file, error) == ReadOutcome::good) {
        (void)expire_locked(file, finding.at);
    }
}

void DiskZone::update(const StoredHead& head) {
    const Moment begun = log_.now();
    const std::lock_guard lock(lock_of(head.key));
    EntryFile file;
    int error = 0;
    const ReadOutcome outcome = open_file(head.key, file, error);
    if (outcome == ReadOutcome::failed) return;
    if (outcome == ReadOutcome::good) {
        const auto old = log_.find(*file.head(), file.layout().begun_at);
        const bool ours = file.head()->key_text == head.key_text;
        if (old.verdict == PurgeLog::Verdict::gone || !ours) return;
    }
    if (head.is_marker()) {
        error = write_marker_locked(head, begun);
    } else if (outcome == ReadOutcome::good && fits_body(head, *file.head())) {
        error = rewrite_locked(file, head, begun);
    } else {
        return;
    }
    if (error != 0) trouble_.write_failed(error);
    if (error == 0) trouble_.write_worked();
}

int DiskZone::write_marker_locked(const StoredHead& head, Moment begun) {
    FileWriter writer(tree_, head, begun);
    if (const int error = writer.finish({}, head); error != 0) return error;
    const std::uint64_t counted = Index::counted(writer.file_bytes_with(0));
    if (const int error = writer.publish(); error != 0) return error;
    index_.take(counted);
    index_.put(head.key, counted, traits_of(head), now());
    return 0;
}

/// In its place where it fits. Whoever reads it at this moment reads again.
int DiskZone::rewrite_locked(const EntryFile& file, const StoredHead& head, Moment begun) {
    const std::string path = tree_.path(head.key);
    Layout layout = file.layout();
    layout.begun_at = begun;
    if (const std::string front = encode_front(head, layout); !front.empty()) {
        const Descriptor out(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!out) return errno;
        if (const int error = write_at(out.get(), front, 0); error != 0) return error;
        index_.set_traits(head.key, traits_of(head));
        return 0;
    }
    std::string copy;
    if (const int error =
            copy_with_head(tree_, file.descriptor(), file.layout(), head, begun, copy);
        error != 0) {
        return error;
    }
    layout.body_at = body_place(encode_head(head).size());
    if (::rename(copy.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(copy.c_str());
        return error;
    }
    const std::uint64_t counted = Index::counted(layout.file_bytes());
    index_.take(counted);
    index_.put(head.key, counted, traits_of(head), now());
    return 0;
}

int DiskZone::expire_locked(const EntryFile& file, Moment at) {
    const auto stale = file.head()->copy();
    stale->validity.expired_at = at / 1000;
    stale->seal();
    return rewrite_locked(file, *stale, file.layout().begun_at);
}

void DiskZone::remove_file(const Key& key, Moment at) {
    const std::lock_guard lock(lock_of(key));
    EntryFile file;
    int error = 0;
    const ReadOutcome outcome = open_file(key, file, error);
    if (outcome == ReadOutcome::good && file.layout().begun_at > at) return;
    unlink_locked(key);
}

void DiskZone::discard(const Key& key, const EntryFile& file) {
    const std::lock_guard lock(lock_of(key));
    EntryFile there;
    int error = 0;
    const ReadOutcome outcome = open_file(key, there, error);
    if (outcome == ReadOutcome::good && there.inode() != file.inode()) return;
    trouble_.found_broken(tree_.path(key));
    unlink_locked(key);
}

bool DiskZone::purge(const Key& key, const Selector& which, Moment at) {
    const std::lock_guard lock(lock_of(key));
    EntryFile file;
    int error = 0;
    if (open_file(key, file, error) != ReadOutcome::good) return false;
    index_.set_traits(key, traits_of(*file.head()));
    if (file.layout().begun_at > at || !which.matches(*file.head())) return false;
    if (!which.soft) {
        unlink_locked(key);
        return true;
    }
    // What cannot be marked must not be taken for fresh.
    if (file.head()->validity.expired_at == 0 && expire_locked(file, at) != 0) unlink_locked(key);
    return true;
}

}  // namespace proxyd::cache::disk
