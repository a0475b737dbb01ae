// The commands against a real broker, as docs/tutorial.md uses them.
#include "tests/sdk/cli/development.h"

namespace sealwire::cli {
namespace {

using nlohmann::json;

using Commands = test::Development;

TEST_F(Commands, AMessageIsSentStoredReadAndThenGone) {
  const auto sent = as("alice", {"send", "bob", "hello", "there"});
  ASSERT_EQ(sent.status, 0) << sent.err;
  EXPECT_EQ(sent.out.size(), 37U) << "36 hex digits of the id";
  const auto read = as("bob", {"recv", "--json"});
  ASSERT_EQ(read.status, 0) << read.err;
  const auto message = json::parse(read.out);
  EXPECT_EQ(message["text"], "hello there");
  EXPECT_EQ(message["name"], "alice");
  EXPECT_EQ(message["id"].get<std::string>() + "\n", sent.out);
  EXPECT_EQ(message["from"].get<std::string>() + "\n", as("alice", {"whoami"}).out);
  EXPECT_EQ(as("bob", {"recv"}).out, "") << "acknowledged";
}

TEST_F(Commands, BytesArriveAsTheyWere) {
  const std::string bytes("\0\xff\n\x1b[2J no newline", 19);
  ASSERT_EQ(as("alice", {"send", "bob"}, bytes).status, 0);
  EXPECT_EQ(as("bob", {"recv"}).out, bytes);
  ASSERT_EQ(as("alice", {"send", "bob", "--type", "application/json", "{\"a\":1}"}).status, 0);
  const auto message = json::parse(as("bob", {"recv", "--json"}).out);
  EXPECT_EQ(message["media_type"], "application/json");
  EXPECT_EQ(message["json"]["a"], 1);
}

TEST_F(Commands, CountEndsAndWaitRunsOut) {
  for (const char* text : {"one", "two", "three"})
    ASSERT_EQ(as("alice", {"send", "bob", text}).status, 0);
  EXPECT_EQ(as("bob", {"recv", "-C", "2"}).out, "one\ntwo\n");
  const auto short_of = as("bob", {"recv", "-C", "2", "-W", "1"});
  EXPECT_EQ(short_of.out, "three\n");
  EXPECT_EQ(short_of.status, 5) << "1 of 2 came";
}

TEST_F(Commands, ExecAcknowledgesOnSuccessOnly) {
  ASSERT_EQ(as("alice", {"send", "bob", "$(touch pwned); `id`"}).status, 0);
  const auto failed = as("bob", {"recv", "--exec", "exit 3"});
  EXPECT_EQ(failed.status, 1);
  EXPECT_NE(failed.err.find("status 3"), std::string::npos) << failed.err;
  const auto done =
      as("bob", {"recv", "--exec",
                 "cat; echo; echo \"$SEALWIRE_FROM_NAME $SEALWIRE_KIND $SEALWIRE_MEDIA_TYPE\""});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(done.out.rfind("$(touch pwned); `id`\nalice message text/plain", 0), 0U)
      << "data, not a command: " << done.out;
  EXPECT_EQ(as("bob", {"recv"}).out, "");
}

TEST_F(Commands, ARequestIsAnsweredByHandInAnotherTerminal) {
  test::Pipe bob(*directory_, "bob");
  ASSERT_FALSE(bob.wait("ready").is_null());
  auto asking = std::thread([&] {
    const json request = bob.wait("message");
    EXPECT_EQ(request["kind"], "request");
    bob.tell({{"op", "reply"}, {"message", request["id"]}, {"text", "noon"}});
    bob.tell({{"op", "ack"}, {"message", request["id"]}});
  });
  const auto answer = as("alice", {"req", "bob", "-W", "30", "what time is it?"});
  asking.join();
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_EQ(answer.out, "noon\n");
  EXPECT_EQ(bob.finish(), 0);
}

TEST_F(Commands, StatusSendsWhatWaitedForAConnection) {
  EXPECT_EQ(as("alice", {"send", "bob", "-W", "0", "later"}).status, 4);
  const auto status = as("alice", {"status", "--json", "-W", "30"});
  ASSERT_EQ(status.status, 0) << status.err;
  EXPECT_EQ(json::parse(status.out)["outbox_waiting"], 0);
  EXPECT_EQ(as("bob", {"recv", "-C", "1", "-W", "30"}).out, "later\n");
}

TEST_F(Commands, ARequestThatNobodyAnswersTimesOut) {
  const auto run = as("alice", {"req", "bob", "-W", "1", "anybody?"});
  EXPECT_EQ(run.status, 5) << run.err;
  EXPECT_EQ(run.err.rfind("error: timeout: ", 0), 0U) << run.err;
  as("bob", {"recv"});
}

TEST_F(Commands, ReplyNamesTheMessageThatItAnswers) {
  const std::string id = as("alice", {"send", "bob", "ping"}).out;
  as("bob", {"recv"});
  ASSERT_EQ(as("bob", {"reply", "alice", id.substr(0, 36), "pong"}).status, 0);
  const auto reply = json::parse(as("alice", {"recv", "-C", "1", "-W", "30", "--json"}).out);
  EXPECT_EQ(reply["kind"], "reply");
  EXPECT_EQ(reply["text"], "pong");
  EXPECT_EQ(reply["reply_to"].get<std::string>() + "\n", id);
}

TEST_F(Commands, AnInviteLetsOneAgentInOnce) {
  const auto invite = as("alice", {"invite", "--expires", "10m"});
  ASSERT_EQ(invite.status, 0) << invite.err;
  const std::string text = invite.out.substr(0, invite.out.size() - 1);
  const auto login = as("carol", {"login", "--name", "alice", "-"}, text + "\n");
  ASSERT_EQ(login.status, 0) << login.err;
  ASSERT_EQ(as("carol", {"send", "alice", "I am new here"}).status, 0);
  EXPECT_EQ(as("alice", {"recv", "-C", "1", "-W", "30"}).out, "I am new here\n");
  EXPECT_EQ(as("dave", {"login", text}).status, 3) << "it was used";
  const std::string carol = as("carol", {"whoami"}).out;
  ASSERT_EQ(as("alice", {"peer", "add", carol.substr(0, carol.size() - 1), "carol"}).status, 0);
  ASSERT_EQ(as("alice", {"send", "carol", "welcome"}).status, 0);
  EXPECT_EQ(as("carol", {"recv", "-C", "1", "-W", "30"}).out, "welcome\n");
  ASSERT_EQ(as("alice", {"peer", "block", "carol"}).status, 0);
  EXPECT_EQ(as("carol", {"send", "alice", "still there?"}).status, 3) << "blocked";
  EXPECT_EQ(as("alice", {"recv"}).out, "");
}

TEST_F(Commands, AStrangerIsDeniedWhoeverItWritesTo) {
  const auto status = json::parse(as("alice", {"status", "--json"}).out);
  ASSERT_EQ(
      as("eve", {"login", "--endpoint", status["endpoint"], "--broker-key", status["broker_key"]})
          .status,
      0);
  std::string bob = as("bob", {"whoami"}).out;
  bob.pop_back();
  as("eve", {"peer", "add", bob, "bob"});
  EXPECT_EQ(as("eve", {"send", "bob", "-W", "20", "let me in"}).status, 3);
  EXPECT_EQ(as("bob", {"recv"}).out, "");
}

TEST_F(Commands, AnotherBrokersKeyIsNotTrusted) {
  const auto status = json::parse(as("alice", {"status", "--json"}).out);
  const auto run =
      as("frank", {"login", "--endpoint", status["endpoint"], "--broker-key",
                   "0123456789012345678901234567890123456789012345678901234567890123"});
  EXPECT_EQ(run.status, 6) << run.err;
  EXPECT_EQ(run.err.rfind("error: broker_key_mismatch", 0), 0U) << run.err;
}

TEST_F(Commands, FirstUseTrustIsByFlagAndPinsWhatItSaw) {
  const auto status = json::parse(as("alice", {"status", "--json"}).out);
  const auto login =
      as("grace", {"login", "--json", "--endpoint", status["endpoint"], "--trust-first-use"});
  ASSERT_EQ(login.status, 0) << login.err;
  EXPECT_EQ(json::parse(login.out)["broker_key"], status["broker_key"]);
  EXPECT_NE(login.err.find("trusted at first use"), std::string::npos);
  EXPECT_EQ(as("grace", {"status"}).status, 0);
}

TEST_F(Commands, StatusAndListsSayWhatIsThere) {
  const auto status = json::parse(as("bob", {"status", "--json"}).out);
  EXPECT_EQ(status["connected"], true);
  EXPECT_EQ(status["endpoint"].get<std::string>().rfind("tcp://", 0), 0U) << "bob is on ZeroMQ";
  const auto peer = json::parse(as("bob", {"peer", "ls", "--json"}).out);
  EXPECT_EQ(peer["name"], "alice");
  EXPECT_EQ(peer["contact"], "allowed");
  ASSERT_EQ(as("bob", {"send", "alice", "x"}).status, 0);
  as("alice", {"recv"});
  const auto conversation = as("bob", {"conversation", "show", "alice", "--json"});
  ASSERT_EQ(conversation.status, 0) << conversation.err;
  EXPECT_NE(conversation.out.find("\"established\":true"), std::string::npos) << conversation.out;
  EXPECT_NE(as("bob", {"conversation", "ls"}).out.find("alice"), std::string::npos);
  EXPECT_EQ(as("bob", {"conversation", "show", "nobody"}).status, 3);
}

TEST_F(Commands, AnUnknownPeerIsAMistakeThatIsNamed) {
  const auto run = as("alice", {"send", "bop", "hello"});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.err.rfind("error: peer_unknown: ", 0), 0U) << run.err;
  EXPECT_NE(run.err.find("try:   sealwire peer ls"), std::string::npos);
}

TEST_F(Commands, AContextHasOneUserAtATime) {
  test::Pipe alice(*directory_, "alice");
  ASSERT_FALSE(alice.wait("ready").is_null());
  const auto run = as("alice", {"status"});
  EXPECT_EQ(run.status, 7);
  EXPECT_EQ(run.err.rfind("error: state_locked: ", 0), 0U) << run.err;
  EXPECT_EQ(as("alice", {"whoami"}).status, 0) << "reads the key only";
  EXPECT_EQ(alice.finish(), 0);
}

}  // namespace
}  // namespace sealwire::cli
