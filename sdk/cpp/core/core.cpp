#include "sdk/cpp/core/core.h"

#include "protocol/identity/did_key.h"
#include "protocol/limits.h"

namespace sealwire::sdk {
namespace {

const RowKey kBrokerRow(as_bytes("broker"));
constexpr std::uint64_t kLazyMs = 20;
constexpr std::size_t kLazyOps = 1024;

// What a peer must do about an error is for wire_code to say; these end more than the session.
bool is_final(Errc code) {
  return code == Errc::replaced;
}

}  // namespace

void Shared::notice(Notice::Kind kind, std::string detail, std::optional<Error> error,
                    const AgentId* peer, const MessageId* message) {
  Notice notice;
  notice.kind = kind;
  if (peer != nullptr) notice.peer = agent_text(*peer);
  if (message != nullptr) notice.message_id = hex(*message);
  notice.error = std::move(error);
  notice.detail = std::move(detail);
  tell(std::move(notice));
}

Result<Unit> make_unit(const SendRequest& request, std::uint64_t number, UnixMillis now) {
  Unit unit;
  unit.number = number;
  unit.kind = request.letter ? Unit::Kind::letter : Unit::Kind::application;
  unit.peer = request.peer;
  unit.plaintext = encode_content(std::span(&request.content, 1));
  // Padding may add an eighth, MLS some hundred bytes; and our own reader must take it.
  if (unit.plaintext.size() > limits::kBodyBytes / 8 * 7)
    return fail(Errc::content_malformed, "a message has at most 900 kB");
  SW_CHECK(decode_content(unit.plaintext).map([](const auto&) {}));
  unit.items = 1;
  unit.transient = request.transient;
  unit.provenance = request.provenance;
  unit.tickets = {request.ticket};
  const std::uint64_t most = request.letter ? limits::kLetterLifetimeMs : limits::kLifetimeMs;
  // Whole seconds, so that what is sent together may share an envelope.
  const std::uint64_t expires = now.value + std::min(request.lifetime_ms, most);
  unit.expires = {std::max(now.value + 1, expires / kSecondMs * kSecondMs)};
  return unit;
}

Core::Core(Config config, const KeyFile& identity, AgentIdentity self, State& state, Random& random,
           UnixMillis now)
    : shared_{.key = identity.key,
              .self = std::move(self),
              .config = std::move(config),
              .state = state,
              .random = random,
              .now = now,
              .ops = {},
              .events = {},
              .completions = {},
              .fatal = {},
              .lazy_since = {}},
      session_(shared_),
      calls_(shared_, session_),
      peers_(shared_, session_, calls_),
      keys_(shared_, session_, calls_),
      conversations_(shared_),
      outbox_(shared_, session_, calls_, peers_, conversations_),
      inbox_(shared_, session_, peers_, conversations_, outbox_, keys_) {}

Result<std::unique_ptr<Core>> Core::load(Config config, const KeyFile& identity, State& state,
                                         Random& random, UnixMillis now) {
  SW_TRY(AgentIdentity self, verify_inception(identity.inception));
  std::unique_ptr<Core> core(
      new Core(std::move(config), identity, std::move(self), state, random, now));
  SW_CHECK(core->load());
  return core;
}

Result<> Core::load() {
  if (!shared_.config.broker) {
    SW_TRY(const auto pinned, shared_.state.read(Table::meta, kBrokerRow));
    if (pinned) shared_.config.broker = BrokerKey::from(pinned->span());
  }
  SW_CHECK(peers_.load());
  SW_CHECK(keys_.load());
  SW_CHECK(conversations_.load());
  SW_CHECK(outbox_.load());
  SW_CHECK(inbox_.load());
  std::vector<ConversationId> wedged;
  for (const auto& [id, conversation] : conversations_.all())
    if (conversation.reopen) wedged.push_back(id);
  for (const ConversationId& id : wedged)
    outbox_.reopen(*conversations_.find(id));
  return {};
}

// The wall clock may be set back: what waits for a time then waits no longer than it would have.
void Core::set_now(UnixMillis now) {
  if (now < shared_.now) {
    const std::uint64_t ms = shared_.now.value - now.value;
    session_.on_clock_set_back(ms);
    calls_.on_clock_set_back(ms);
    keys_.on_clock_set_back(ms);
    peers_.on_clock_set_back(ms);
    outbox_.on_clock_set_back(ms);
    if (shared_.lazy_since) shared_.lazy_since = *shared_.lazy_since - ms;
  }
  shared_.now = now;
}

void Core::connect(UnixMillis now) {
  set_now(now);
  session_.start();
}

void Core::on_open(handshake::ChannelBinding binding, UnixMillis now) {
  set_now(now);
  session_.on_open(std::move(binding), inbox_.resume(), peers_.invite_for_proof());
}

void Core::on_bytes(ByteSpan message, UnixMillis now) {
  set_now(now);
  if (shared_.fatal) return;
  if (const auto done = on_frame(message); !done) end_session(done.error());
}

Result<> Core::on_frame(ByteSpan message) {
  const bool before = session_.ready();
  SW_TRY(const auto bytes, session_.on_bytes(message));
  if (!before && session_.ready()) {
    on_ready();
    return {};
  }
  if (!bytes) return {};
  SW_TRY(const Frame frame, Frame::parse(*bytes, limits::kFrameBytes));
  return on_session_frame(frame);
}

Result<> Core::on_session_frame(const Frame& frame) {
  switch (frame.type()) {
    case wire::Body::Accepted:
      return outbox_.on_accepted(*frame.as<wire::Accepted>());
    case wire::Body::Rejected:
      return outbox_.on_rejected(*frame.as<wire::Rejected>());
    case wire::Body::Deliver:
      return inbox_.on_deliver(*frame.as<wire::Deliver>());
    case wire::Body::Reply: {
      calls_.on_reply(*frame.as<wire::Reply>());
      return inbox_.process();  // it may have waited for this
    }
    case wire::Body::Ping:
      session_.on_ping(frame.as<wire::Ping>()->nonce());
      return {};
    case wire::Body::Pong:
      return outbox_.on_pong({frame.as<wire::Pong>()->nonce()});
    case wire::Body::Close: {
      const auto code = frame.as<wire::Close>()->code();
      return fail(errc_of(code), std::string("the broker says: ") + wire::EnumNameCode(code));
    }
    default:
      return fail(Errc::frame_unexpected, wire::EnumNameBody(frame.type()));
  }
}

void Core::on_ready() {
  const handshake::Ready& ready = session_.info();
  if (!shared_.config.broker) {
    shared_.config.broker = ready.broker;  // first use, trusted by flag: from now on pinned
    shared_.write(Table::meta, kBrokerRow, SecretBytes(ready.broker.span()));
  }
  if (const auto resumed = inbox_.on_ready(); !resumed) {
    shared_.stop(resumed.error());
    return;
  }
  peers_.on_ready();
  keys_.on_ready(ready.key_packages);
  outbox_.on_ready();
  shared_.tell(Connected{});
}

void Core::end_session(const Error& why) {
  if (is_final(why.code)) shared_.stop(why);
  session_.close(why);
}

void Core::on_close(const Error& why, UnixMillis now) {
  set_now(now);
  session_.on_close(why);
  calls_.on_session_end();
  peers_.on_session_end();
  outbox_.on_session_end();
  inbox_.on_session_end();
  const Error last = session_.last_error().value_or(why);
  if (last.code == Errc::not_admitted && peers_.on_not_admitted()) session_.retry_now();
  shared_.tell(Disconnected{last});
}

void Core::on_timer(UnixMillis now) {
  set_now(now);
  session_.on_timer();
  calls_.on_timer();
  peers_.on_timer();
  keys_.on_timer();
  outbox_.on_timer();
}

UnixMillis Core::next_timer() const {
  UnixMillis next = std::min(
      {session_.next_timer(), calls_.next_timer(), peers_.next_timer(), outbox_.next_timer()});
  if (session_.ready()) next = std::min(next, keys_.next_timer());
  if (shared_.lazy_since) next = std::min(next, *shared_.lazy_since + kLazyMs);
  return next;
}

void Core::close(UnixMillis now) {
  set_now(now);
  closing_ = true;
  session_.stop();
}

void Core::send(const SendRequest& request, UnixMillis now) {
  set_now(now);
  auto unit = make_unit(request, shared_.next_unit++, now);
  if (!unit) {
    shared_.tell(SendRefused{request.ticket, unit.error()});
    return;
  }
  adopt_unit(std::move(*unit), false);
}

void Core::adopt(Unit unit, UnixMillis now) {
  set_now(now);
  adopt_unit(std::move(unit), true);
}

void Core::adopt_unit(Unit unit, bool stored) {
  const PeerRow* peer = peers_.find(unit.peer);
  if (peer == nullptr || peer->contact == Peer::Contact::blocked) {
    const Error error{peer == nullptr ? Errc::peer_unknown : Errc::denied,
                      peer == nullptr ? "add the peer first" : "this agent has blocked the peer"};
    for (const Ticket ticket : unit.tickets)
      if (ticket != 0) shared_.tell(SendRefused{ticket, error});
    if (stored) shared_.erase(Table::outbox, RowKey(unit.number));
    return;
  }
  outbox_.add(std::move(unit), stored);
}

void Core::acknowledge(std::uint64_t inbox_number, bool erased) {
  inbox_.acknowledge(inbox_number, erased);
}

// What can wait a little does, for something else's fsync: the rows of what the broker has accepted
// and of what the application has acknowledged.
Result<> Core::write(UnixMillis now) {
  const bool due = shared_.lazy_since && (now >= *shared_.lazy_since + kLazyMs ||
                                          shared_.ops.size() >= kLazyOps || closing_);
  if (!shared_.urgent && !due) return {};
  conversations_.save();
  SW_CHECK(shared_.state.commit(shared_.ops));
  shared_.ops.clear();
  shared_.urgent = false;
  shared_.lazy_since.reset();
  return {};
}

Core::Output Core::flush(UnixMillis now) {
  set_now(now);
  Output output;
  if (!shared_.fatal) {
    // A key that was just published, a look-up, a Welcome: all may let something else go on.
    keys_.on_timer();
    outbox_.pump();
    inbox_.answer();
    if (const auto written = write(now); !written) shared_.stop(written.error());
  }
  output.events = std::exchange(shared_.events, {});
  output.completions = std::exchange(shared_.completions, {});
  if (shared_.fatal) {
    // Frames of this flush rest on what is not on disk: none leaves but the Close.
    session_.discard_frames();
    session_.close(*shared_.fatal);
    output.fatal = shared_.fatal;
    std::erase_if(output.events, [](const Event& event) {
      return !std::holds_alternative<Notice>(event) && !std::holds_alternative<Disconnected>(event);
    });
    output.completions.clear();
  }
  output.channel = session_.take_output();
  return output;
}

}  // namespace sealwire::sdk
