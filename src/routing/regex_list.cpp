#include "routing/regex_list.hpp"

#include <algorithm>

namespace proxyd::routing {
namespace {

Error regex_error(const std::string& expression, const std::string& why) {
    return Error(Reason::internal_error, Source::internal, Retry::no,
                 "regular expression '" + expression + "': " + why);
}

bool matches(const RE2& regex, std::string_view text) {
    return regex.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::UNANCHORED,
                       nullptr, 0);
}

}  // namespace

RE2::Options regex_options() {
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_dot_nl(true);
    options.set_log_errors(false);
    return options;
}

Result<std::unique_ptr<RE2>> compile_regex(const std::string& expression) {
    auto regex = std::make_unique<RE2>(expression, regex_options());
    if (!regex->ok()) return regex_error(expression, regex->error());
    return regex;
}

void RegexList::add(std::string expression, bool ignore_case, std::size_t value) {
    if (ignore_case) expression = "(?i:" + expression + ")";
    expressions_.push_back({std::move(expression), value, nullptr});
}

Result<void> RegexList::build() {
    for (Expression& expression : expressions_) {
        auto regex = compile_regex(expression.text);
        if (!regex) return std::move(regex).error();
        expression.regex = std::move(regex).value();
    }
    if (expressions_.size() < 2) return {};
    set_ = std::make_unique<RE2::Set>(regex_options(), RE2::UNANCHORED);
    for (const Expression& expression : expressions_) {
        std::string why;
        if (set_->Add(expression.text, &why) < 0) return regex_error(expression.text, why);
    }
    // Too large for one pass: one after the other still gives the same answer.
    if (!set_->Compile()) set_.reset();
    return {};
}

std::optional<std::size_t> RegexList::find(std::string_view text) const {
    if (set_ != nullptr) {
        thread_local std::vector<int> found;
        RE2::Set::ErrorInfo info{RE2::Set::kNoError};
        if (set_->Match(re2::StringPiece(text.data(), text.size()), &found, &info)) {
            return expressions_[static_cast<std::size_t>(*std::ranges::min_element(found))].value;
        }
        if (info.kind == RE2::Set::kNoError) return std::nullopt;
    }
    for (const Expression& expression : expressions_) {
        if (matches(*expression.regex, text)) return expression.value;
    }
    return std::nullopt;
}

}  // namespace proxyd::routing
