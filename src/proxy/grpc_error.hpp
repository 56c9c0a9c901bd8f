#pragma once

#include <string_view>

#include "exchange.hpp"

namespace proxyd::proxy {

/// Whether the exchange is one of gRPC.
[[nodiscard]] bool is_grpc(const http::HeaderMap& fields) noexcept;
/// grpc-status with which an error of ours is told to a gRPC client, which looks for nothing else;
/// empty where the status itself says it (and for everybody else).
[[nodiscard]] std::string_view grpc_status(const Exchange& exchange, int status) noexcept;

}  // namespace proxyd::proxy
