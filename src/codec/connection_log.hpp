#pragma once

#include "proxyd/async/loop.hpp"
#include "proxyd/base/error.hpp"
#include "proxyd/http/stream.hpp"

namespace proxyd::codec {

/// What a client did to its connection, for the error log (level info). At most a few lines for
/// each second and worker; the next one tells how many were left out.
void log_connection_error(async::Loop& loop, const http::StreamFacts& facts, const Error& why);

}  // namespace proxyd::codec
