#pragma once

#include "support/protocol/message.hpp"

namespace proxyd::test::protocol {

// Takes the body of one HTTP/1.1 message off a wire piece by piece. Strict: whatever its framing
// does not allow is broken.
class H1Body {
  public:
    enum class Framing { none, length, chunked, until_close, tunnel };

    H1Body() = default;
    H1Body(Wire& wire, Framing framing, std::uint64_t length = 0);
    // As the head says. `answer` = without any framing it goes to the end of the connection.
    static H1Body of(Wire& wire, const Headers& head, bool answer);

    // The next bytes; empty at the end, whatever kind of end it was.
    std::string read(Duration limit, std::size_t most);
    [[nodiscard]] End end() const { return end_; }
    [[nodiscard]] const Headers& trailers() const { return trailers_; }

  private:
    std::string take(const Deadline& deadline, std::size_t most);
    bool next_chunk(const Deadline& deadline);
    bool read_trailers(const Deadline& deadline);
    bool line(const Deadline& deadline, std::string& text);
    void lost(IoStatus status);

    Wire* wire_ = nullptr;
    Framing framing_ = Framing::none;
    std::uint64_t left_ = 0;  // of the length or of the chunk
    bool in_chunk_ = false;
    End end_ = End::open;
    Headers trailers_;
};

}  // namespace proxyd::test::protocol
