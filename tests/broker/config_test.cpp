#include "broker/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "broker/suggest.h"

namespace sealwire::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kListen = "[[listen]]\nuri = \"wss://127.0.0.1:7410\"\n";

std::vector<std::string> problems_of(const std::string& text) {
  std::vector<std::string> result;
  const auto config = parse_config(text, "etc/sealwired.toml");
  if (!config)
    for (const auto& problem : config.error())
      result.push_back(describe(problem));
  return result;
}

std::string sample() {
  std::ifstream file(SEALWIRE_SOURCE_DIR "/deploy/sealwired.toml");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Config, TheExampleParsesAndItsFilesLieBesideIt) {
  const auto config = parse_config(sample(), "/etc/sealwire/sealwired.toml");
  ASSERT_TRUE(config) << describe(config.error().front());
  ASSERT_EQ(config->listen.size(), 2U);
  EXPECT_EQ(config->listen[0].uri, "wss://127.0.0.1:7410");
  EXPECT_EQ(config->listen[0].options.at("certificate_file"), "/etc/sealwire/certificate.pem");
  EXPECT_EQ(config->listen[1].options.at("curve_secret_file"), "/etc/sealwire/curve.key");
  EXPECT_EQ(config->key_file, "/etc/sealwire/broker.key");
  EXPECT_EQ(config->store_path, "/etc/sealwire/sealwire.db");
}

TEST(Config, TheCageIsOneOfThreeAndTheUserAName) {
  const auto process = [](const std::string& lines) {
    return std::string(kListen) + "[process]\n" + lines;
  };
  const auto config = parse_config(process("cage = \"required\"\nuser = \"sealwire\"\n"), "x");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->process.cage, CageMode::required);
  EXPECT_EQ(config->process.user, "sealwire");
  EXPECT_EQ(parse_config(std::string(kListen), "x")->process.cage, CageMode::available);
  EXPECT_THAT(problems_of(process("cage = true\n")),
              ElementsAre(HasSubstr("\"process.cage\" must be one of \"required\", "
                                    "\"available\", \"off\"")));
}

TEST(Config, WhatTheExampleShowsCommentedOutIsTheDefault) {
  std::string text = sample();
  std::string uncommented;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool setting =
        line.starts_with("# ") && line.find(" = ") != std::string::npos &&
        line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", 2) == line.find(" = ");
    if (setting && !line.starts_with("# threads") && !line.starts_with("# origins"))
      uncommented += line.substr(2) + "\n";
    else
      uncommented += line + "\n";
  }
  ASSERT_NE(uncommented, text);
  const auto shown = parse_config(uncommented, "sealwired.toml");
  ASSERT_TRUE(shown) << describe(shown.error().front());
  const auto defaults = parse_config(text, "sealwired.toml");
  const RouterConfig& a = shown->router;
  const RouterConfig& b = defaults->router;
  EXPECT_EQ(a.agents_max, b.agents_max);
  EXPECT_EQ(a.mailbox_entries_max, b.mailbox_entries_max);
  EXPECT_EQ(a.mailbox_bytes_max, b.mailbox_bytes_max);
  EXPECT_EQ(a.contacts_max, b.contacts_max);
  EXPECT_EQ(a.invites_max, b.invites_max);
  EXPECT_EQ(a.verification, b.verification);
  for (const auto rate : {&RouterConfig::sends, &RouterConfig::calls, &RouterConfig::claims,
                          &RouterConfig::conversations, &RouterConfig::handshakes}) {
    EXPECT_EQ((a.*rate).per_second, (b.*rate).per_second);
    EXPECT_EQ((a.*rate).burst, (b.*rate).burst);
  }
  EXPECT_EQ(shown->http.port, defaults->http.port);
  EXPECT_EQ(shown->drain_ms, defaults->drain_ms);
  EXPECT_EQ(shown->listen[0].connections_max, defaults->listen[0].connections_max);
  EXPECT_EQ(shown->listen[0].unproven_per_address_max,
            defaults->listen[0].unproven_per_address_max);
}

TEST(Config, AMisspeltKeyIsRefusedWithWhatWasMeant) {
  EXPECT_THAT(problems_of(std::string(kListen) + "[store]\npaht = \"x\"\n"),
              ElementsAre("etc/sealwired.toml:4: unknown key \"store.paht\"; did you mean "
                          "\"store.path\"?"));
  EXPECT_THAT(problems_of(std::string(kListen) + "[admision]\nmode = \"open\"\n"),
              ElementsAre("etc/sealwired.toml:3: unknown key \"admision\"; did you mean "
                          "\"admission\"?"));
  EXPECT_THAT(problems_of(std::string(kListen) + "[limits]\nsends = {per_secnd = 1}\n"),
              ElementsAre(HasSubstr("did you mean \"limits.sends.per_second\"?")));
}

TEST(Config, EveryProblemIsReportedInTheOrderOfTheFile) {
  const auto problems = problems_of(
      "[limits]\nmailbox_entries = -1\n[log]\nlevel = \"loud\"\n[verification]\nmode = 3\n"
      "[admission]\nagents = [\"agent:nobody\"]\n[http]\nlisten = \"0.0.0.0:7480\"\n"
      "[[listen]]\nallow_insecure = \"yes\"\n");
  EXPECT_THAT(problems, ElementsAre(HasSubstr(":2: \"limits.mailbox_entries\" must be"),
                                    HasSubstr(":4: \"log.level\" must be one of"),
                                    HasSubstr(":6: \"verification.mode\" must be one of"),
                                    HasSubstr(":8: \"admission.agents\""),
                                    HasSubstr(":10: \"http.listen\" is open to other machines"),
                                    HasSubstr(":11: [[listen]] has no \"uri\""),
                                    HasSubstr(":12: \"listen.allow_insecure\" must be a boolean")));
}

TEST(Config, WithoutAListenerSaysWhatToAdd) {
  EXPECT_THAT(problems_of(""), ElementsAre(HasSubstr("nothing to listen on; add [[listen]]")));
}

TEST(Config, FaultyTomlNamesItsLine) {
  EXPECT_THAT(problems_of("[store]\npath = \n"),
              ElementsAre(StartsWith("etc/sealwired.toml:2: not TOML: ")));
}

TEST(Config, TheSameDoorTwiceIsRefused) {
  EXPECT_THAT(problems_of(std::string(kListen) + std::string(kListen)),
              ElementsAre(HasSubstr("already listened on (line 1)")));
}

TEST(Config, OperatorsHttpIsOnLoopbackUnlessALineSaysOtherwise) {
  const std::string listen(kListen);
  for (const char* address : {"10.0.0.1:80", "[::]:80", "example.org:80"})
    EXPECT_THAT(problems_of(listen + "[http]\nlisten = \"" + address + "\"\n"),
                ElementsAre(HasSubstr("allow_remote")))
        << address;
  EXPECT_THAT(problems_of(listen + "[http]\nlisten = \"10.0.0.1:80\"\nallow_remote = true\n"),
              ElementsAre());
  EXPECT_THAT(problems_of(listen + "[http]\nlisten = \"[::1]:80\"\n"), ElementsAre());
  for (const char* address : {"127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:70000", "127.0.0.1:8x"})
    EXPECT_THAT(problems_of(listen + "[http]\nlisten = \"" + address + "\"\n"),
                ElementsAre(HasSubstr("is not address:port")))
        << address;
  const auto off = parse_config(listen + "[http]\nlisten = \"\"\n", "x.toml");
  ASSERT_TRUE(off);
  EXPECT_FALSE(off->http.enabled);
}

TEST(Config, OptionsOfAChannelReachItAsText) {
  const auto config = parse_config(
      std::string(kListen) + "origins = \"https://a\"\nsize = 7\nfast = true\nca_file = \"/ca\"\n",
      "conf/x.toml");
  ASSERT_TRUE(config);
  const auto& options = config->listen[0].options;
  EXPECT_EQ(options.at("origins"), "https://a");
  EXPECT_EQ(options.at("size"), "7");
  EXPECT_EQ(options.at("fast"), "true");
  EXPECT_EQ(options.at("ca_file"), "/ca");
}

TEST(Config, AProblemCannotForgeALineOfTheLog) {
  const auto problems = problems_of(std::string(kListen) +
                                    "[http]\n\"a\\nok\\u001b[2J\" = 1\nlisten = \"x\\r\\ny\"\n");
  ASSERT_EQ(problems.size(), 2U);
  for (const auto& problem : problems)
    EXPECT_EQ(problem.find_first_of("\r\n\x1b"), std::string::npos) << problem;
}

TEST(Printable, KeepsTextAndEscapesWhatSteersTerminalsAndLogs) {
  EXPECT_EQ(printable("agent é 漢 😀"), "agent é 漢 😀");
  EXPECT_EQ(printable("a\nb\r\t\x1b[0m\x7f"), "a\\x0ab\\x0d\\x09\\x1b[0m\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "1m"),
            "\\xc2\\x9b"
            "1m");                                          // C1 control sequence
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // right-to-left override
  EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80\xff"), "\\xc0\\xaf\\xed\\xa0\\x80\\xff");
  EXPECT_EQ(printable("\\x0a"), "\\x5cx0a");  // cannot be mistaken for an escape
  EXPECT_EQ(printable("abcdef", 3), "abc…");
}

}  // namespace
}  // namespace sealwire::broker
