#include "support/protocol/message.hpp"

#include <ostream>

namespace proxyd::test::protocol {

std::ostream& operator<<(std::ostream& out, End end) {
    constexpr const char* kNames[] = {"open", "whole", "cut", "broken", "silent"};
    return out << kNames[static_cast<int>(end)];
}

Ask ask_for(std::string path) {
    Ask ask;
    ask.path = std::move(path);
    return ask;
}

Ask post(std::string body, std::string path) {
    Ask ask;
    ask.method = "POST";
    ask.path = std::move(path);
    ask.length = body.size();
    ask.body = std::move(body);
    return ask;
}

}  // namespace proxyd::test::protocol
