// `sealwire pipe` against a real broker: docs/pipe.md, sentence by sentence.
#include "tests/sdk/cli/development.h"

namespace sealwire::cli {
namespace {

using nlohmann::json;

class PipeProcess : public test::Development {
 protected:
  test::Pipe alice_{*directory_, "alice"};
};

TEST_F(PipeProcess, TheFirstLineIsReadyAndTheLastIsClosed) {
  const json ready = alice_.wait("ready");
  EXPECT_EQ(ready["context"], "alice");
  EXPECT_EQ(alice_.wait("connection")["connected"], true);
  alice_.end_input();
  EXPECT_EQ(alice_.wait("closed")["code"], "ok");
  EXPECT_EQ(alice_.finish(), 0);
}

TEST_F(PipeProcess, AWrongLineIsAnsweredAndTheNextOneIsDone) {
  alice_.tell(std::string("{"));
  EXPECT_EQ(alice_.wait("error")["code"], "usage");
  alice_.tell({{"op", "send"}, {"ref", "a"}, {"to", "nobody"}, {"text", "x"}});
  const json unknown = alice_.wait("error");
  EXPECT_EQ(unknown["ref"], "a");
  EXPECT_EQ(unknown["code"], "peer_unknown");
  EXPECT_EQ(unknown["try"], "sealwire peer ls");
  alice_.tell(std::string(3 * 1024 * 1024, 'x'));
  EXPECT_EQ(alice_.wait("error")["cause"], "longer than 2 MiB");
  alice_.tell({{"op", "peers"}, {"ref", "b"}});
  const json peers = alice_.wait("peers");
  EXPECT_EQ(peers["ref"], "b");
  EXPECT_EQ(peers["peers"][0]["name"], "bob");
  EXPECT_EQ(alice_.finish(), 0);
}

TEST_F(PipeProcess, EverythingAskedIsAnsweredBeforeTheEnd) {
  for (int i = 0; i < 200; ++i)
    alice_.tell({{"op", "send"},
                 {"ref", std::to_string(i)},
                 {"to", "bob"},
                 {"text", "n" + std::to_string(i)}});
  alice_.end_input();
  for (int i = 0; i < 200; ++i) {
    const json accepted = alice_.wait("accepted");
    ASSERT_FALSE(accepted.is_null()) << "answer " << i;
    EXPECT_EQ(accepted["id"].get<std::string>().size(), 36U);
  }
  EXPECT_EQ(alice_.finish(), 0);

  test::Pipe bob(*directory_, "bob");
  for (int i = 0; i < 200; ++i) {
    const json message = bob.wait("message");
    ASSERT_FALSE(message.is_null());
    EXPECT_EQ(message["text"], "n" + std::to_string(i)) << "in order";
    EXPECT_EQ(message["name"], "alice");
    bob.tell({{"op", "ack"}, {"message", message["id"]}});
  }
  EXPECT_EQ(bob.finish(), 0);
}

TEST_F(PipeProcess, WhatIsNotAcknowledgedComesAgainAndWhatIsDoesNot) {
  alice_.tell({{"op", "send"}, {"to", "bob"}, {"text", "kept"}});
  alice_.tell({{"op", "send"}, {"to", "bob"}, {"text", "done"}});
  json kept;
  {
    test::Pipe bob(*directory_, "bob");
    kept = bob.wait("message");
    EXPECT_EQ(kept["text"], "kept");
    const json done = bob.wait("message");
    bob.tell({{"op", "ack"}, {"message", done["id"]}});
    bob.tell({{"op", "ack"}, {"ref", "again"}, {"message", done["id"]}});
    EXPECT_EQ(bob.wait("error")["ref"], "again");
    EXPECT_EQ(bob.finish(), 0);
  }
  test::Pipe bob(*directory_, "bob");
  const json again = bob.wait("message");
  EXPECT_EQ(again["id"], kept["id"]);
  bob.tell({{"op", "ack"}, {"message", again["id"]}});
  bob.tell({{"op", "peers"}});
  bob.wait("peers");
  EXPECT_EQ(bob.finish(), 0);
  EXPECT_EQ(as("bob", {"recv"}).out, "");
  EXPECT_EQ(alice_.finish(), 0);
}

TEST_F(PipeProcess, ARequestIsAnsweredOrTimesOut) {
  test::Pipe bob(*directory_, "bob");
  alice_.tell({{"op", "request"}, {"ref", "q"}, {"to", "bob"}, {"json", {{"n", 1}}}});
  const json request = bob.wait("message");
  EXPECT_EQ(request["kind"], "request");
  EXPECT_EQ(request["json"]["n"], 1);
  EXPECT_TRUE(request.contains("deadline"));
  bob.tell({{"op", "reply"}, {"message", request["id"]}, {"json", {{"n", 2}}}});
  bob.tell({{"op", "ack"}, {"message", request["id"]}});
  const json reply = alice_.wait("reply");
  EXPECT_EQ(reply["ref"], "q");
  EXPECT_EQ(reply["json"]["n"], 2);

  alice_.tell(
      {{"op", "request"}, {"ref", "late"}, {"to", "bob"}, {"text", "?"}, {"deadline_ms", 300}});
  const json late = alice_.wait("error");
  EXPECT_EQ(late["ref"], "late");
  EXPECT_EQ(late["code"], "timeout");
  EXPECT_EQ(bob.finish(), 0);
  EXPECT_EQ(alice_.finish(), 0);
}

}  // namespace
}  // namespace sealwire::cli
