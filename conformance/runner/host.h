// What a case for an agent has at hand: the agent under test as a program, and the suite as its
// broker and as its peer.
#pragma once

#include <functional>

#include "conformance/peer/hosted.h"
#include "conformance/runner/process.h"
#include "conformance/runner/settings.h"
#include "conformance/wire/letter.h"
#include "conformance/wire/mls.h"

namespace conformance {

class Host {
 public:
  /// Starts the agent: it is given an invite to the suite's broker.
  Host(const Settings& settings, bool sealed);

  HostStore store;

  /// The agent's next connection, of which nothing has been read; throws NotRun where it never
  /// comes.
  Hosted& meet();
  /// The connection of an agent that has redeemed its invite, is Ready, and says so.
  Hosted& session();
  /// Serves honestly until `done`; throws Failure naming `what` where that does not come in time.
  void until(const std::string& what, const std::function<bool()>& done);
  /// The agent ends the connection, with this code.
  void closes(Code code);
  /// The connection ends with any Close: SPEC names no code.
  void closes();

  /// Ends the agent's standard input.
  void end();
  /// An operation as `sealwire pipe` reads it.
  void say(const std::string& json) { process_.write_line(json); }
  /// Has the agent send a text to the peer.
  void send_text(const std::string& text);
  /// Whether a line of its output was the event, with this text where one is given.
  bool told(const std::string& event, const std::string& text = {}) const {
    return times(event, text) != 0;
  }
  std::size_t times(const std::string& event, const std::string& text = {}) const;

  /// A session after which key packages and a last resort are at the broker.
  void publishes();
  /// A good one of the peer, in the form of the agent's own.
  KeyPackage peer_package() const;
  /// The answer to a Claim of the peer.
  Table claimed(const Bytes& key_package) const;

  /// A letter of the peer to the agent; `body` is made of the header's bytes.
  Envelope letter(const Bytes& plaintext);
  Envelope letter(const Table& header, const Bytes& plaintext);
  Table letter_header() const;
  Envelope letter(const std::string& text) {
    return letter(letter_plaintext(content_batch({content(text)})));
  }
  /// The agent shows this text once.
  void shows(const std::string& text);
  /// What was put under this sequence is answered by Nack, and nothing of it is shown.
  void refuses(std::uint64_t sequence, const std::string& text);
  /// The same without what SPEC leaves open: whether a Nack names what has no readable id.
  void never_shows(const std::string& text);

 private:
  void step();
  void read_lines(int wait_ms);
  Listener listener_;
  std::vector<std::string> lines_;
  std::unique_ptr<Hosted> session_;
  Process process_;
};

}  // namespace conformance
