#pragma once

#include <boost/crc.hpp>
#include <cstdint>
#include <string_view>

namespace proxyd::upstream {

/// CRC-32 as in zlib and nginx, of texts that come in parts.
class Crc32 {
  public:
    Crc32& add(std::string_view bytes) {
        crc_.process_bytes(bytes.data(), bytes.size());
        return *this;
    }
    [[nodiscard]] std::uint32_t value() const { return crc_.checksum(); }

  private:
    boost::crc_32_type crc_;
};

}  // namespace proxyd::upstream
