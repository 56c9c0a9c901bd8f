#include "proxyd/config/certificates.hpp"

#include <algorithm>
#include <ctime>

#include "config/service_user.hpp"

namespace proxyd::config {
namespace {

using net::tls::Certificate;
using net::tls::CertificateSlot;
using CertificatePtr = std::shared_ptr<const Certificate>;

Error failure(const std::string& file, const std::string& text) {
    return Error(Reason::internal_error, Source::internal, proxyd::Retry::no,
                 "the file " + file + " " + text);
}

Result<std::shared_ptr<const std::string>> content_of(const std::string& file) {
    static const ServiceUser self("", "");
    ServiceUser::Refusal refusal;
    auto content = self.read(file, refusal);
    if (content == nullptr) return failure(file, refusal.text);
    return content;
}

Result<CertificatePtr> read_pair(const HostTls::Pair& pair, const CertificateSlot::Set& shown) {
    const auto certificate = content_of(pair.certificate);
    if (!certificate) return certificate.error();
    const auto key = content_of(pair.key);
    if (!key) return key.error();
    const std::string id = Certificate::id_of(**certificate, **key);
    for (const CertificatePtr& each : shown) {
        if (each->id() == id) return each;
    }
    auto made = Certificate::make(**certificate, **key);
    if (made) return std::move(*made);
    const bool of_key = made.error().part == net::tls::PolicyProblem::Part::key;
    return failure(of_key ? pair.key : pair.certificate, made.error().text);
}

}  // namespace

Result<CertificateSlot::Set> read_certificates(const HostTls& tls) {
    const auto shown = tls.certificates->current();
    CertificateSlot::Set set;
    for (const HostTls::Pair& pair : tls.files) {
        auto next = read_pair(pair, *shown);
        if (!next) return std::move(next).error();
        const bool twice = std::any_of(set.begin(), set.end(), [&](const CertificatePtr& other) {
            return other->key_type() == (*next)->key_type();
        });
        if (twice) return failure(pair.certificate, "has a key of the same type as another");
        set.push_back(std::move(*next));
    }
    return set;
}

std::string day_of(std::int64_t unix_time) {
    const auto seconds = static_cast<std::time_t>(unix_time);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[16];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts)};
}

}  // namespace proxyd::config
