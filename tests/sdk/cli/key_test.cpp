#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "protocol/identity/did_key.h"
#include "protocol/identity/inception.h"
#include "tests/sdk/cli/process.h"

namespace sealwire::cli {
namespace {

using nlohmann::json;
using test::sealwire;

class Key : public ::testing::Test {
 protected:
  std::string key_file() const { return home_ / "home/contexts/test/agent.key"; }
  test::TemporaryDirectory home_;
};

TEST_F(Key, NewKeyIsTheOwnersOnlyAndNamesTheAgent) {
  const auto made = sealwire(home_, {"key", "new"});
  ASSERT_EQ(made.status, 0) << made.err;
  struct stat info {};
  ASSERT_EQ(::stat(key_file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_TRUE(parse_agent_id(made.out.substr(0, made.out.size() - 1))) << made.out;
  EXPECT_EQ(sealwire(home_, {"whoami"}).out, made.out);
  const auto shown = json::parse(sealwire(home_, {"key", "show", "--json"}).out);
  EXPECT_EQ(shown["agent"].get<std::string>() + "\n", made.out);
  EXPECT_EQ(shown["context"], "test");
}

TEST_F(Key, AnExistingKeyIsNeverReplaced) {
  ASSERT_EQ(sealwire(home_, {"key", "new"}).status, 0);
  const std::string before = test::slurp(key_file());
  const auto again = sealwire(home_, {"key", "new"});
  EXPECT_EQ(again.status, 7);
  EXPECT_EQ(again.err.rfind("error: key_file_exists: ", 0), 0U) << again.err;
  EXPECT_EQ(test::slurp(key_file()), before);
}

TEST_F(Key, TheExportedIdentityProvesItself) {
  ASSERT_EQ(sealwire(home_, {"key", "new"}).status, 0);
  const auto exported = json::parse(sealwire(home_, {"key", "export"}).out);
  SignedStatement inception;
  inception.statement = *parse_base64url(exported["inception"].get<std::string>());
  inception.signature =
      *Signature::from(*parse_base64url(exported["signature"].get<std::string>()));
  const auto identity = verify_inception(inception);
  ASSERT_TRUE(identity);
  EXPECT_EQ(agent_text(identity->agent), exported["agent"]);
  EXPECT_EQ(did_key(identity->instance), exported["instance"]);
}

TEST_F(Key, TheSecretLeavesOnlyToANewPrivateFile) {
  ASSERT_EQ(sealwire(home_, {"key", "new"}).status, 0);
  const std::string secret = test::slurp(key_file());
  const auto to_terminal = sealwire(home_, {"key", "export", "--secret"});
  EXPECT_EQ(to_terminal.status, 2);
  EXPECT_EQ(to_terminal.out, "");
  const std::string copy = home_ / "copy";
  ASSERT_EQ(sealwire(home_, {"key", "export", "--secret", "--out", copy}).status, 0);
  EXPECT_EQ(test::slurp(copy), secret);
  struct stat info {};
  ASSERT_EQ(::stat(copy.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(sealwire(home_, {"key", "export", "--secret", "--out", copy}).status, 7);
}

TEST_F(Key, AKeyThatOthersCanReadIsRefused) {
  ASSERT_EQ(sealwire(home_, {"key", "new"}).status, 0);
  ASSERT_EQ(::chmod(key_file().c_str(), 0644), 0);
  const auto run = sealwire(home_, {"whoami"});
  EXPECT_EQ(run.status, 7);
  EXPECT_NE(run.err.find("key_file_permissions"), std::string::npos);
  EXPECT_NE(run.err.find("chmod 600"), std::string::npos) << run.err;
}

TEST_F(Key, APassphraseIsWantedFromThenOn) {
  ::setenv("SEALWIRE_PASSPHRASE", "correct horse", 1);
  const auto made = sealwire(home_, {"key", "new"});
  EXPECT_EQ(sealwire(home_, {"whoami"}).out, made.out);
  ::unsetenv("SEALWIRE_PASSPHRASE");
  const auto locked = sealwire(home_, {"whoami"});
  EXPECT_EQ(locked.status, 7);
  EXPECT_EQ(locked.err.rfind("error: passphrase_wrong", 0), 0U) << locked.err;
  EXPECT_NE(locked.err.find("SEALWIRE_PASSPHRASE"), std::string::npos);
}

TEST_F(Key, WithoutAContextTheNextStepIsNamed) {
  for (const char* command : {"whoami", "status", "recv"}) {
    const auto run = sealwire(home_, {command});
    EXPECT_EQ(run.status, 7) << command;
    EXPECT_NE(run.err.find("there is no context \"test\""), std::string::npos) << run.err;
    EXPECT_NE(run.err.find("try:   sealwire login INVITE"), std::string::npos) << run.err;
  }
}

TEST_F(Key, AContextWithoutABrokerSaysHowToGetOne) {
  ASSERT_EQ(sealwire(home_, {"key", "new"}).status, 0);
  const auto run = sealwire(home_, {"send", "bob", "hello"});
  EXPECT_EQ(run.status, 7);
  EXPECT_NE(run.err.find("has no broker yet"), std::string::npos) << run.err;
}

TEST_F(Key, LoginWantsToKnowWhichBrokerItTrusts) {
  EXPECT_EQ(sealwire(home_, {"login"}).status, 2);
  EXPECT_EQ(sealwire(home_, {"login", "not an invite"}).status, 2);
  const auto run = sealwire(home_, {"login", "--endpoint", "wss://127.0.0.1:1"});
  EXPECT_EQ(run.status, 2);
  EXPECT_NE(run.err.find("the broker's key is not known"), std::string::npos) << run.err;
  EXPECT_EQ(
      sealwire(home_, {"login", "--endpoint", "wss://127.0.0.1:1", "--broker-key", "12"}).status,
      2);
  EXPECT_EQ(sealwire(home_, {"whoami"}).status, 7) << "nothing was made";
}

}  // namespace
}  // namespace sealwire::cli
