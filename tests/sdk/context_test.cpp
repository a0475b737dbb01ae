// Contexts on disk, and how options are found.
#include "sealwire/context.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/sdk/net.h"

namespace sealwire::test {
namespace {

class ContextTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory;
  std::string home = (directory.path / "home").string();
  Context make(const std::string& name) {
    Context context;
    context.name = name;
    context.broker_key = std::string(64, 'b');
    context.endpoints = {{"wss://localhost:7410", {{"ca_file", "/a \"quoted\" path"}}, false},
                         {"tcp://localhost:7411?curve=00", {}, true}};
    return *write_context(home, context);
  }
};

TEST_F(ContextTest, WhatIsWrittenIsRead) {
  make("alice");
  const auto read = read_context(home, "alice");
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->broker_key, std::string(64, 'b'));
  ASSERT_EQ(read->endpoints.size(), 2u);
  EXPECT_EQ(read->endpoints[0].options.at("ca_file"), "/a \"quoted\" path");
  EXPECT_TRUE(read->endpoints[1].allow_insecure);
  EXPECT_EQ(std::filesystem::status(read->directory).permissions(),
            std::filesystem::perms::owner_all);
}

TEST_F(ContextTest, TheKeyIsMadeOnce) {
  const Context context = make("alice");
  const auto first = create_key(context, "");
  const auto second = create_key(context, "");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

TEST_F(ContextTest, NamesThatLeaveTheDirectoryAreRefused) {
  for (const char* name : {"", "..", "../x", "a/b", ".hidden", "a b"}) {
    Context context;
    context.name = name;
    EXPECT_FALSE(write_context(home, context)) << name;
    EXPECT_FALSE(read_context(home, name)) << name;
  }
}

TEST_F(ContextTest, MistakesAreToldWithFileAndLine) {
  const Context context = make("alice");
  std::ofstream(context.directory + "/context.toml") << "broker_key = \"00\"\nbroker = 1\n";
  const auto read = read_context(home, "alice");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::config_invalid);
  EXPECT_NE(read.error().detail.find("context.toml:2"), std::string::npos) << read.error().detail;
}

TEST_F(ContextTest, TheCurrentOneIsNamedChosenOrTheOnlyOne) {
  ::unsetenv("SEALWIRE_CONTEXT");
  make("bob");
  EXPECT_EQ(*current_context(home), "bob");
  make("alice");
  EXPECT_EQ(*current_context(home), "default");
  ASSERT_TRUE(choose_context(home, "alice"));
  EXPECT_EQ(*current_context(home), "alice");
  ::setenv("SEALWIRE_CONTEXT", "bob", 1);
  EXPECT_EQ(*current_context(home), "bob");
  ::unsetenv("SEALWIRE_CONTEXT");
  EXPECT_EQ(*list_contexts(home), (std::vector<std::string>{"alice", "bob"}));
  EXPECT_FALSE(choose_context(home, "nobody"));
}

TEST_F(ContextTest, ArgumentsOverrideTheEnvironmentAndUnknownOnesAreRefused) {
  make("alice");
  const char* good[] = {"x", "--home", home.c_str(), "--context", "alice"};
  EXPECT_EQ(Options::from_arguments(5, good)->name, "alice");
  const char* bad[] = {"x", "--verbose"};
  EXPECT_EQ(Options::from_arguments(2, bad).error().code, Errc::config_invalid);
}

}  // namespace
}  // namespace sealwire::test
