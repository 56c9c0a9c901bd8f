// What `proxyd -t` says of certificate files: who cannot read which, and how to mend it.
#include "support/certificates.hpp"
#include "support/config_check.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace proxyd::test {
namespace {

namespace fs = std::filesystem;

class CertificateFiles : public ::testing::Test {
  protected:
    CertificateFiles() {
        fs::permissions(temp.path(), fs::perms(0755));
        const Pair pair = Authority("test").issue({.names = {"app.test"}, .addresses = {}});
        place(pair, "plain", 0755);
        place(pair, "closed", 0700);
        place(pair, "letsencrypt/live/app.test", 0700);
    }
    void place(const Pair& pair, const std::string& directory, unsigned mode) const {
        temp.write(directory + "/pem", pair.certificate);
        temp.write(directory + "/key", pair.key);
        fs::permissions(temp.path() / directory / "key", fs::perms(0600));
        fs::permissions(temp.path() / directory, fs::perms(mode));
    }
    [[nodiscard]] std::string in(const std::string& directory) const {
        return (temp.path() / directory).string();
    }
    [[nodiscard]] ConfigVerdict check(const std::string& directory, const std::string& user,
                                      bool as_nobody = false) const {
        ConfigFiles files;
        files.as_nobody = as_nobody;
        return check_config((user.empty() ? "" : "user: " + user + "\n") +
                                "hosts: { app.test: { upstream: 3000, tls: { certificate: '" +
                                in(directory) + "/pem', key: '" + in(directory) + "/key' } } }\n",
                            files);
    }
    static bool says(const ConfigVerdict& verdict, const std::string& text) {
        return verdict.text.find(text) != std::string::npos;
    }

    TempDir temp;
};

TEST_F(CertificateFiles, RootLooksWithTheEyesOfTheServiceUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    EXPECT_EQ(check("closed", "").exit_code, 0);
    EXPECT_EQ(check("closed", "root").exit_code, 0);
    const auto key = check("plain", "nobody");
    EXPECT_EQ(key.exit_code, 78);
    EXPECT_TRUE(says(
        key, "the file " + in("plain") + "/key cannot be read by user 'nobody': Permission denied"))
        << key.text;
    EXPECT_TRUE(says(key, "as root: setfacl -m u:nobody:r " + in("plain") + "/key\n")) << key.text;
    EXPECT_FALSE(says(key, "/pem cannot")) << key.text;
    const auto both = check("closed", "nobody");
    EXPECT_TRUE(says(both, "as root: setfacl -m u:nobody:rx " + in("closed") +
                               " && setfacl -m u:nobody:r " + in("closed") + "/key"))
        << both.text;
    EXPECT_TRUE(says(both, "/pem cannot be read")) << both.text;
}

TEST_F(CertificateFiles, CertbotsFilesComeWithTheHook) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    const auto verdict = check("letsencrypt/live/app.test", "nobody");
    const std::string home = in("letsencrypt");
    EXPECT_TRUE(says(verdict, "setfacl -R -m u:nobody:rX " + home + "/live " + home + "/archive"))
        << verdict.text;
    EXPECT_TRUE(says(verdict, home + "/renewal-hooks/deploy")) << verdict.text;
}

TEST_F(CertificateFiles, OthersAreToldWhoTheyAre) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    const auto alone = check("plain", "", true);
    EXPECT_EQ(alone.exit_code, 78);
    EXPECT_TRUE(says(alone, "key cannot be read by user 'nobody'")) << alone.text;
    const auto another = check("plain", "daemon", true);
    EXPECT_TRUE(says(another, "the service runs as 'daemon'; as root, proxyd -t looks with its"))
        << another.text;
}

}  // namespace
}  // namespace proxyd::test
