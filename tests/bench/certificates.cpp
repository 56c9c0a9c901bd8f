// Makes certificates for the benchmark: self-signed, ECDSA P-256, a key of its own for each, some
// thousands in a second.
//
//   bench_certificates DIRECTORY NAME            NAME.crt, NAME.key, and NAME.pem with both
//   bench_certificates DIRECTORY --hosts COUNT   the first two for h00000.bench.example and so on
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace {

constexpr long kDay = 24L * 3600;
constexpr unsigned kMostHosts = 100000;

template <auto kFree>
struct Free {
    void operator()(auto* object) const { kFree(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using File = std::unique_ptr<FILE, Free<std::fclose>>;

bool add_extension(X509* certificate, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    const bool added = made != nullptr && X509_add_ext(certificate, made, -1) == 1;
    X509_EXTENSION_free(made);
    return added;
}

bool set_serial(X509* certificate) {
    BIGNUM* number = BN_new();
    const bool done = BN_rand(number, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                      BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
    BN_free(number);
    return done;
}

Certificate make_certificate(const std::string& name, EVP_PKEY* key) {
    Certificate made{X509_new()};
    X509* certificate = made.get();
    X509_NAME* subject = X509_get_subject_name(certificate);
    const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -kDay);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 90 * kDay);
    const bool done =
        set_serial(certificate) &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
        X509_set_issuer_name(certificate, subject) == 1 && X509_set_pubkey(certificate, key) == 1 &&
        add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(certificate, NID_subject_alt_name, "DNS:" + name) &&
        X509_sign(certificate, key, EVP_sha256()) > 0;
    return done ? std::move(made) : nullptr;
}

bool write(const std::string& path, X509* certificate, EVP_PKEY* key) {
    const File file{std::fopen(path.c_str(), "w")};
    if (!file) return false;
    const bool wrote = (certificate == nullptr || PEM_write_X509(file.get(), certificate) == 1) &&
                       (key == nullptr || PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0,
                                                               nullptr, nullptr) == 1);
    return wrote && std::fflush(file.get()) == 0;
}

bool make_pair(const std::string& directory, const std::string& name, bool both_in_one) {
    const Key key{EVP_EC_gen("P-256")};
    if (!key) return false;
    const Certificate certificate = make_certificate(name, key.get());
    const std::string path = directory + "/" + name;
    return certificate && write(path + ".crt", certificate.get(), nullptr) &&
           write(path + ".key", nullptr, key.get()) &&
           (!both_in_one || write(path + ".pem", certificate.get(), key.get()));
}

bool make_hosts(const std::string& directory, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        std::array<char, 32> name{};
        std::snprintf(name.data(), name.size(), "h%05u.bench.example", i);
        if (!make_pair(directory, name.data(), false)) return false;
    }
    return true;
}

unsigned to_count(std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = error == std::errc{} && end == text.data() + text.size();
    return good && value <= kMostHosts ? value : 0;
}

}  // namespace

int main(int argc, char** argv) {
    umask(077);  // keys are nobody else's
    const bool many = argc == 4 && std::string_view{argv[2]} == "--hosts";
    const unsigned count = many ? to_count(argv[3]) : 0;
    if (many ? count == 0 : argc != 3) {
        std::fprintf(stderr, "usage: bench_certificates DIRECTORY NAME | --hosts COUNT\n");
        return 2;
    }
    const bool made = many ? make_hosts(argv[1], count) : make_pair(argv[1], argv[2], true);
    if (!made) std::fprintf(stderr, "bench_certificates: cannot write into %s\n", argv[1]);
    return made ? 0 : 1;
}
