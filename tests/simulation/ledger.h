// What agents asked for, what they were told, and what came: the promises, kept as a table.
#pragma once

#include <map>
#include <set>
#include <string>

#include "sdk/cpp/core/core.h"

namespace sealwire::test {

/// The first violation stays; everything after it is its consequence.
class Ledger {
 public:
  struct Message {
    std::size_t from = 0;
    std::size_t to = 0;
    bool brief = false;  // may expire on its way
    bool transient = false;
    bool must_come = false;  // sent when everything was well again
    bool stored = false;
    bool accepted = false;
    bool refused = false;    // its sender was told, or its receiver
    std::size_t passed = 0;  // times a transient came
  };
  struct Counts {
    std::size_t sent = 0, stored = 0, accepted = 0, received = 0, refused = 0;
  };

  /// Its number is the text of the message and the ticket of the send.
  std::uint64_t add(Message message);
  /// Clocks were further apart than messages bear: any may be refused for its times.
  void clocks_parted() { clocks_parted_ = true; }

  /// An event that agent `who` was told.
  void tell(std::size_t who, const sdk::Event& event);
  void on_received(std::size_t who, const sdk::Received& message);
  void on_transient(std::size_t who, const sdk::Received& message);
  /// In the end: what agent `who` has in its application's table.
  void in_the_end(std::size_t who, const std::set<std::uint64_t>& received);
  /// After every agent's: what was stored or accepted has come, or its sender was told.
  void settle();

  void violate(std::string what);
  const std::optional<std::string>& violation() const { return violation_; }
  Counts counts() const;

 private:
  const Message* find(std::size_t who, const sdk::Received& message, std::uint64_t& number);

  std::map<std::uint64_t, Message> messages_;
  std::map<MessageId, std::uint64_t> numbers_;
  std::set<std::uint64_t> received_;
  bool clocks_parted_ = false;
  std::optional<std::string> violation_;
};

}  // namespace sealwire::test
