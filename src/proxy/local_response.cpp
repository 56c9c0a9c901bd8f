#include "local_response.hpp"

#include "error_log.hpp"
#include "error_pages.hpp"
#include "grpc_error.hpp"
#include "response_head.hpp"

namespace proxyd::proxy {

using http::FieldId;
namespace {

/// Without these an answer of its status says less than it must (RFC 9110 15.5, 15.4.17).
constexpr http::FieldSet kNeeded{FieldId::www_authenticate, FieldId::proxy_authenticate,
                                 FieldId::allow, FieldId::retry_after, FieldId::content_range};
constexpr std::string_view kEveryMethod = "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH";

/// nginx's word for "close without an answer".
constexpr int kNoAnswer = 444;

}  // namespace

Task<void> respond(Exchange& exchange, LocalResponse answer) {
    if (answer.status == kNoAnswer) {
        exchange.status = answer.status;
        exchange.stream->reset(Error(Reason::none));
        co_return;
    }
    http::ResponseHead& head = exchange.response;
    head.fields.clear();
    head.status = answer.status;
    head.reason_phrase = http::reason_phrase(answer.status);
    head.framing = answer.body.empty() ? http::Framing::none : http::Framing::length;
    head.content_length = answer.body.size();
    if (!http::status_has_body(answer.status)) answer.body = {};
    if (!answer.body.empty()) head.fields.add(FieldId::content_type, answer.content_type);
    if (!answer.location.empty()) head.fields.add(FieldId::location, answer.location);
    if (!answer.allow.empty()) head.fields.add(FieldId::allow, answer.allow);
    if (!answer.grpc_status.empty()) {
        head.fields.add(FieldId::content_type, "application/grpc");
        head.fields.add("grpc-status", answer.grpc_status);
        head.fields.add("grpc-message", answer.grpc_message);
    }
    if (answer.of_upstream != nullptr) {
        for (const http::Field& field : *answer.of_upstream) {
            if (kNeeded.contains(field.id)) head.fields.add(field.id, field.name, field.value);
        }
    }
    finish_response_head(exchange, true);

    exchange.head_sent = true;
    http::SendOptions options;
    options.end = answer.body.empty();
    auto sent = co_await exchange.stream->send_head(head, options);
    if (sent && !options.end) {
        options.end = true;
        sent = co_await exchange.stream->send(answer.body, options);
    }
    if (sent) co_return;
    exchange.status = status_of(Reason::client_closed);  // nobody got it
    if (exchange.reason == Reason::none) exchange.reason = sent.error().code;
}

Task<void> respond_error(Exchange& exchange, Error why) {
    exchange.reason = why.code;
    exchange.detail = why.detail;
    if (exchange.fill != nullptr) {  // whoever waits for the fill answers and logs
        exchange.stream->reset(why);
        co_return;
    }
    log_error(exchange, why);
    const int status = status_of(why.code);
    if (exchange.head_sent) {
        exchange.stream->reset(why);
        co_return;
    }
    if (status == 0 || why.code == Reason::client_closed) {
        exchange.status = status_of(Reason::client_closed);
        exchange.stream->reset(why);
        co_return;
    }
    LocalResponse answer;
    answer.grpc_status = grpc_status(exchange, status);
    if (!answer.grpc_status.empty()) {
        answer.status = 200;  // a head with the status of the call, and nothing else
        answer.grpc_message = describe(why.code);
        co_await respond(exchange, answer);
        co_return;
    }
    answer.status = status;
    const config::ErrorPage* page = find_error_page(exchange.policy(), status);
    answer.body = page != nullptr ? std::string_view(*page->body)
                                  : make_error_page(exchange, status, why);
    answer.content_type = page != nullptr ? std::string_view(page->content_type)
                                          : "text/html; charset=utf-8";
    if (why.code == Reason::method_not_allowed) {
        const std::string& listed = exchange.plan->policy->methods.allow_value();
        answer.allow = listed.empty() ? kEveryMethod : std::string_view(listed);
    }
    co_await respond(exchange, answer);
}

Task<void> respond_intercepted(Exchange& exchange, int status) {
    const config::ErrorPage* page = find_error_page(exchange.policy(), status);
    LocalResponse answer;
    answer.status = status;
    answer.body = *page->body;
    answer.content_type = page->content_type;
    answer.of_upstream = exchange.upstream.fields;
    co_await respond(exchange, answer);
}

}  // namespace proxyd::proxy
