// One connection: its face for other threads, and what bot, hub and end know of it.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <unordered_set>

#include "adapters/channels/census.h"
#include "adapters/channels/telegram/incoming.h"
#include "adapters/channels/telegram/outgoing.h"

namespace sealwire::channel::telegram {

class Hub;
class Link;
using LinkPtr = std::shared_ptr<Link>;

/// Where an end's delivery thread finds what it has to tell. The hub's mutex guards it.
struct Desk {
  Limits limits;
  std::condition_variable changed;
  std::deque<LinkPtr> ready;  // each once, see Link::queued
  std::unordered_set<LinkPtr> links;
  // Of a listening end:
  std::shared_ptr<Census> census;
  std::size_t unproven = 0;
  bool accepting = true;
};
using DeskPtr = std::shared_ptr<Desk>;

enum class Role : std::uint8_t { dialling, listening };

/// The hub's mutex guards all of it; what Connection promises to any thread takes that mutex.
class Link final : public Connection, public std::enable_shared_from_this<Link> {
 public:
  Link(std::shared_ptr<Hub> hub, DeskPtr desk, Role role, ConnectionKey key, std::string chat,
       std::int64_t peer);

  Sent send(Bytes frame) override;
  void promote() override;
  void close(std::string_view reason) override;
  const Binding& binding() const override { return binding_; }
  const std::string& peer_address() const override { return address_; }

  /// Bytes that were taken and are not Telegram's yet.
  std::size_t unsent_bytes() const { return out.waiting_bytes() + (part ? part_bytes() : 0); }
  /// Has the end's thread look at it. Under the mutex.
  void stir();
  /// Flushes for a while, then ends with `error`. Under the mutex.
  void begin_close(Error error);
  /// Why it has to end by now, if it has to. Under the mutex.
  std::optional<Error> overdue(Clock::time_point now) const;
  /// A place among the unproven is free again. Under the mutex.
  void leave_unproven();

  const std::shared_ptr<Hub> hub;
  const DeskPtr desk;
  const Role role;
  const ConnectionKey key;
  std::string chat;   // to which it is sent
  std::int64_t peer;  // who sends; 0: whoever answers first
  Outgoing out;
  Incoming in;
  Place place;
  std::optional<Outgoing::Part> part;  // given out and not yet taken by Telegram
  bool sending = false;                // it is on its way
  std::optional<Fragment> farewell;    // to be left once it is known whether that arrived
  unsigned tries = 0;                  // of it
  Clock::time_point deadline;          // of the opening, then of the close
  Clock::time_point heard;             // when something came last
  std::optional<Error> closing;        // flushes, then ends so
  std::optional<Error> ended;          // nothing is sent or taken any more; on_close is due
  bool promoted = false;
  bool unproven = false;  // counted by the desk
  bool writable_wanted = false;
  bool writable_due = false;
  bool told_open = false;
  bool in_turn = false;  // in its chat's
  bool queued = false;   // in the desk's

 private:
  std::size_t part_bytes() const { return part->fragment.payload.size(); }
  const Binding binding_;  // none: Telegram proves nothing that both ends could sign
  const std::string address_;
};

}  // namespace sealwire::channel::telegram
