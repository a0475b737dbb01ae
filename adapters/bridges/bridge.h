// The whole contract of a bridge: an adapter to a world without keys (people in a messenger, a
// queue, a web service). A bridge is told things and says things; both are listed here, and
// adapters/bridges/CONTRACT.md spells them as JSON lines for bridges that are processes.
//
// What the host does, so that no bridge has to: it holds the agent's key and every other secret,
// decides which chat may talk to which agent, drops what comes twice, keeps each chat's order,
// tries again with growing pauses, and keeps to the pace that the bridge named. A bridge holds no
// state that it could not lose.
//
// Threads: the host calls `tell` from one thread and expects it to return quickly; a bridge calls
// `OnSaid` from any thread of its own, never from within `tell`, and waits in it while the host is
// behind. Everything passed is owned by the receiver afterwards. Forbidden to a bridge: opening
// network connections (it asks with Fetch), files, other processes. Nothing in the contract is
// optional but by capability: a bridge that does not name `pair` is never told of pairing, one
// without `ask` never gets choices, one without `hook` never gets requests of the world.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "protocol/bytes.h"
#include "protocol/error.h"

namespace sealwire::bridge {

inline constexpr std::uint64_t kContractVersion = 1;
inline constexpr std::size_t kNameBytes = 56;  // of a bridge; ENV-020
inline constexpr std::size_t kIdBytes = 128;   // of an id, a chat or a user
inline constexpr std::size_t kChoices = 8;
inline constexpr std::size_t kChoiceBytes = 64;
inline constexpr std::size_t kContentBytes = 768 * 1024;
inline constexpr std::size_t kFetchesOpen = 16;  // of one bridge at a time

/// Bytes and what they are.
struct Content {
  std::string media_type = "text/plain;charset=utf-8";
  Bytes data;
  friend bool operator==(const Content&, const Content&) = default;
};

// --- what a bridge says

/// First, once, within 5 s of its start. `chat_interval_ms` and `interval_ms` are the least time
/// between two deliveries to one chat, and to any.
struct Hello {
  std::uint64_t contract = 0;
  std::string name;
  bool pair = false;
  bool ask = false;
  bool hook = false;
  std::uint64_t chat_interval_ms = 0;
  std::uint64_t interval_ms = 0;
};

/// Somebody in `chat` said something. `id` is the world's own, stable when it comes again. Answered
/// by Outcome: `ok` once it is on the host's disk (also when it was there before), `not_paired`, or
/// `invalid`.
struct Receive {
  std::string id;
  std::string chat;
  std::string user;
  Content content;
};

/// Somebody offered a pairing code. Answered by Outcome: `ok`, or `denied` whatever the reason.
struct Pair {
  std::string id;
  std::string chat;
  std::string user;
  std::string code;
};

/// Somebody chose one of the choices of delivery `delivery`. Answered by Outcome: `ok`, `denied`
/// (another user or chat, or answered before) or `expired`.
struct Answer {
  std::string id;
  std::string chat;
  std::string user;
  std::string delivery;
  std::uint64_t choice = 0;
};

/// The world has the delivery. It is not made again.
struct Delivered {
  std::string delivery;
};

/// It has not. The host tries again after `retry_after_ms`, or after a pause of its own; after
/// `permanent` it tells the agent instead.
struct Failed {
  std::string delivery;
  bool permanent = false;
  std::uint64_t retry_after_ms = 0;
  std::string cause;
};

/// The world gave a chat another name. What is paired with the old one now is with the new one.
struct Moved {
  std::string chat;
  std::string to;
};

/// One HTTP request, made by the host, to an origin that its operator named and no other, without
/// following redirects. `{secret:NAME}` in `url` and in header values is replaced by a secret that
/// the bridge never sees, if it belongs to that origin.
struct Fetch {
  std::string ref;
  std::string method = "GET";
  std::string url;
  std::map<std::string, std::string> headers;
  Bytes body;
  std::uint64_t timeout_ms = 30'000;
};

/// The HTTP status that answers a Hook: 200 to 599. What was said of it by Receive, Pair or Answer
/// should be `ok` before it is 2xx.
struct Hooked {
  std::string ref;
  unsigned status = 0;
};

using Said = std::variant<Hello, Receive, Pair, Answer, Delivered, Failed, Moved, Fetch, Hooked>;

// --- what a bridge is told

/// After Hello was accepted. `options` are the operator's, as `--option NAME=VALUE`.
struct Start {
  std::map<std::string, std::string> options;
};

/// To be shown in `chat`; with `choices`, as buttons. The next one for this chat comes after this
/// one's Delivered or Failed. The same id may come again after a crash.
struct Deliver {
  std::string id;
  std::string chat;
  std::string from;  ///< what the host's operator calls the agent
  Content content;
  std::vector<std::string> choices;
};

/// Of a Receive, Pair or Answer.
struct Outcome {
  std::string id;
  std::string code;
};

/// Of a Fetch. `status` 0 means that there was no answer, and `cause` why.
struct Fetched {
  std::string ref;
  unsigned status = 0;
  Bytes body;
  std::string cause;
};

/// The world made an HTTP POST that the host found authentic. Answer with Hooked within 15 s.
struct Hook {
  std::string ref;
  std::string path;
  Bytes body;
};

/// Finish within 5 s.
struct Stop {};

using Told = std::variant<Start, Deliver, Outcome, Fetched, Hook, Stop>;

/// A running bridge.
class Bridge {
 public:
  using OnSaid = std::function<void(Said)>;
  using OnEnd = std::function<void(const Error&)>;  // once, last: it ended by itself

  virtual ~Bridge() = default;  // ends it; neither function is called afterwards
  virtual void tell(const Told& told) = 0;
};

/// How the host starts one, and starts it again when it ended.
using Launch = std::function<Result<std::unique_ptr<Bridge>>(Bridge::OnSaid, Bridge::OnEnd)>;

/// Fails with config_invalid when a string or number is beyond the bounds above.
[[nodiscard]] Result<> check(const Said& said);

}  // namespace sealwire::bridge
