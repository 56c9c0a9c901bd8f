#include "log_time.hpp"

#include <time.h>

#include <cstring>

namespace proxyd::proxy {
namespace {

struct Cached {
    time_t second = -1;
    char local[40] = {};
    char iso8601[40] = {};
};

const Cached& now() {
    static thread_local Cached cached;
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
    if (time.tv_sec == cached.second) return cached;
    cached.second = time.tv_sec;
    tm parts{};
    ::localtime_r(&time.tv_sec, &parts);
    ::strftime(cached.local, sizeof cached.local, "%d/%b/%Y:%H:%M:%S %z", &parts);
    char* out = cached.iso8601;
    std::size_t length = ::strftime(out, sizeof cached.iso8601, "%Y-%m-%dT%H:%M:%S%z", &parts);
    // "+0200" becomes "+02:00".
    std::memmove(out + length - 1, out + length - 2, 3);
    out[length - 2] = ':';
    return cached;
}

}  // namespace

std::string_view local_log_time() { return now().local; }
std::string_view iso8601_log_time() { return now().iso8601; }

}  // namespace proxyd::proxy
