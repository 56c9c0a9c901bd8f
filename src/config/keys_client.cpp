#include "config/store.hpp"

namespace proxyd::config {
namespace {

constexpr Key kHttp2Keys[] = {
    {.name = "max_concurrent_streams",
     .type = Type::count,
     .fallback = "128",
     .doc = "Requests at one time on one connection.",
     .range = {1, 100'000},
     .nginx = "http2_max_concurrent_streams",
     .store = store<&ClientLimits::max_concurrent_streams>},
    {.name = "max_resets_per_minute",
     .type = Type::count,
     .fallback = "200",
     .doc = "Requests that a connection may take back; then it is closed; 0 = no limit.",
     .range = {0, 1'000'000},
     .store = store<&ClientLimits::max_resets_per_minute>},
};

}  // namespace

constinit const Table kHttp2Table{.name = "http2", .keys = kHttp2Keys};

namespace {

constexpr Key kKeys[] = {
    {.name = "header_timeout",
     .type = Type::duration,
     .fallback = "60s",
     .doc = "Whole time from accept (later: from the first byte) to the end of the head.",
     .range = kWait,
     .nginx = "client_header_timeout",
     .store = store<&ClientLimits::header_timeout>},
    {.name = "body_timeout",
     .type = Type::duration,
     .fallback = "60s",
     .doc = "Between two reads of a body that brought bytes.",
     .range = kWait,
     .nginx = "client_body_timeout",
     .store = store<&ClientLimits::body_timeout>},
    {.name = "min_rate",
     .type = Type::size,
     .fallback = "0",
     .doc = "Bytes per second that a body must bring on top; 0 = none.",
     .store = store<&ClientLimits::min_rate>},
    {.name = "send_timeout",
     .type = Type::duration,
     .fallback = "60s",
     .doc = "Between two writes that took bytes.",
     .range = kWait,
     .nginx = "send_timeout",
     .store = store<&ClientLimits::send_timeout>},
    {.name = "keepalive_timeout",
     .type = Type::duration,
     .fallback = "75s",
     .doc = "How long a connection may be idle between requests.",
     .range = {0, kWait.max},
     .store = store<&ClientLimits::keepalive_timeout>},
    {.name = "keepalive_requests",
     .type = Type::count,
     .fallback = "10000",
     .doc = "Requests on one connection.",
     .range = {1, UINT64_MAX},
     .store = store<&ClientLimits::keepalive_requests>},
    {.name = "max_header_size",
     .type = Type::size,
     .fallback = "32k",
     .doc = "The whole head; 431 above, 414 when the request line alone exceeds it.",
     .range = {1 << 10, 16 << 20},
     .nginx = "large_client_header_buffers client_header_buffer_size",
     .store = store<&ClientLimits::max_header_size>},
    {.name = "max_headers",
     .type = Type::count,
     .fallback = "100",
     .doc = "Fields of a request; 431 above.",
     .range = {1, 10'000},
     .nginx = "max_headers",
     .store = store<&ClientLimits::max_headers>},
    {.name = "http2",
     .type = Type::map,
     .doc = "Limits of HTTP/2 connections.",
     .store = store_group,
     .inner = &kHttp2Table},
};

}  // namespace

constinit const Table kClientTable{.name = "client", .keys = kKeys};

}  // namespace proxyd::config
