#include "tests/simulation/simulator.h"

#include "protocol/identity/did_key.h"

namespace sealwire::test {

using namespace sealwire::broker;

namespace {
constexpr std::size_t kPeers = 5;
constexpr std::size_t kWindow = 8;
}  // namespace

Simulator::Simulator(std::uint64_t seed)
    : random_(seed),
      broker_key_(crypto::SigningKey::generate(random_)),
      store_(random_.make<BrokerIncarnation>()) {
  config_.admission = Admission::open;
  config_.batch_ops_max = 64;
  config_.deliver_bytes = 2048;
  config_.conversations_cached_max = 2;
  for (std::size_t i = 0; i < kPeers; ++i)
    peers_.push_back(std::make_unique<Peer>(WorldAgent(random_, now_)));
  start_router();
  for (std::size_t i = 0; i < kPeers; ++i)
    connect(i);
  while (!quiet())
    step();
  // Everybody allows everybody; each opens a conversation with the next.
  std::uint32_t call = 0;
  for (auto& one : peers_)
    for (auto& other : peers_)
      if (one != other)
        feed(Called{one->connection,
                    ++call,
                    SetContactRequest{other->agent.id(), wire::Contact::allowed},
                    {}});
  for (int i = 0; i < 4; ++i)
    step();
  for (std::size_t i = 0; i < kPeers; ++i) {
    const Pair pair{i, (i + 1) % kPeers, random_.make<ConversationId>(), false};
    Peer& opener = *peers_[pair.a];
    for (MadeEnvelope& made : opener.agent.opening(pair.conversation, peers_[pair.b]->agent, now_))
      opener.outbox.push_back(std::move(made));
    pairs_.push_back(pair);
  }
}

std::uint64_t Simulator::dice(std::uint64_t sides) {
  std::array<std::uint8_t, 8> bytes{};
  random_.fill(bytes);
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes)
    value = value << 8 | byte;
  return value % sides;
}

void Simulator::violate(std::string what) {
  if (!result_.violation) result_.violation = std::move(what);
}

void Simulator::trace(ByteSpan bytes) {
  for (const std::uint8_t byte : bytes)
    result_.trace = (result_.trace ^ byte) * 0x100000001b3ull;
}

// --- the broker
// ------------------------------------------------------------------------------------

void Simulator::start_router() {
  auto made = Router::create(config_, {&broker_key_, &store_, &random_, &metrics_, &log_}, now_);
  router_ = std::move(*made);
}

// Memory is lost; a batch at the disk is written or not, whole.
void Simulator::crash() {
  ++result_.restarts;
  if (batch_ && dice(2) == 0) static_cast<void>(store_.commit(batch_->ops));
  batch_.reset();
  for (auto& peer : peers_) {
    peer->connection = 0;
    peer->ready = false;
  }
  peer_of_.clear();
  start_router();
}

void Simulator::feed(Event event) {
  router_->on_events(std::span(&event, 1), now_);
  drain_outputs();
}

void Simulator::take_and_commit() {
  if (!batch_) {
    batch_ = router_->take_batch();
    return;
  }
  Batch batch = std::move(*batch_);
  batch_.reset();
  router_->on_committed(
      commit(store_, broker_key_, router_->incarnation(), now_, metrics_, std::move(batch)), now_);
  drain_outputs();
}

void Simulator::drain_outputs() {
  for (Output& output : router_->take_outputs()) {
    const auto connection = std::visit([](const auto& what) { return what.connection; }, output);
    const auto peer = peer_of_.find(connection);
    if (peer == peer_of_.end()) continue;
    if (std::holds_alternative<CloseConnection>(output)) {
      peers_[peer->second]->connection = 0;
      peers_[peer->second]->ready = false;
      peer_of_.erase(peer);
    } else if (const auto* ready = std::get_if<SendReady>(&output)) {
      peers_[peer->second]->ready = true;
      trace(ready->frame);
    } else {
      on_output(peer->second, std::get<SendFrame>(output).frame);
    }
  }
}

// --- the agents
// ------------------------------------------------------------------------------------

void Simulator::connect(std::size_t i) {
  Peer& peer = *peers_[i];
  if (peer.connection != 0 && dice(4) != 0) return;  // sometimes a second one, which replaces
  if (peer.connection != 0) peer_of_.erase(peer.connection);
  peer.connection = ++last_connection_;
  peer_of_[peer.connection] = i;
  peer.ready = false;
  peer.in_flight = 0;
  peer.credit_entries = peer.credit_bytes = peer.got_entries = peer.got_bytes = 0;
  peer.delivered = peer.processed;
  handshake::ProvenPeer proven;
  proven.identity = peer.agent.identity();
  proven.acked = peer.processed;
  proven.incarnation = router_->incarnation();
  feed(PeerProven{peer.connection, std::move(proven)});
}

void Simulator::disconnect(std::size_t i) {
  Peer& peer = *peers_[i];
  if (peer.connection == 0) return;
  ++result_.disconnects;
  const auto connection = std::exchange(peer.connection, 0);
  peer.ready = false;
  peer_of_.erase(connection);  // what was on its way is lost
  feed(Left{connection});
}

void Simulator::compose(std::size_t i) {
  Peer& peer = *peers_[i];
  for (const Pair& pair : pairs_) {
    if (pair.a != i && !(pair.b == i && pair.joined)) continue;
    if (peer.outbox.size() >= 16 || dice(2) == 0) continue;
    const std::string body(dice(600), static_cast<char>('a' + i));
    peer.outbox.push_back(peer.agent.application(pair.conversation, now_, body));
  }
}

// Sends what is unanswered of the outbox, in order, within the window; now and then all of it
// again.
void Simulator::transmit(std::size_t i) {
  Peer& peer = *peers_[i];
  if (!peer.ready) return;
  if (dice(20) == 0) peer.in_flight = 0;
  Submitted submitted{peer.connection, {}};
  while (peer.in_flight < std::min(kWindow, peer.outbox.size())) {
    Bundle bundle;
    const std::size_t count = peer.outbox[peer.in_flight].header.kind == Kind::commit ? 2 : 1;
    if (peer.in_flight + count > peer.outbox.size()) break;
    for (std::size_t k = 0; k < count; ++k) {
      auto envelope = Envelope::parse(peer.outbox[peer.in_flight + k].bytes);
      auto verified = verify_session(std::move(*envelope), peer.agent.instance());
      if (!verified) return violate("an envelope does not verify");
      bundle.envelopes.push_back(std::move(*verified));
    }
    bundle.first_id = bundle.envelopes[0].header().id;
    submitted.bundles.push_back(std::move(bundle));
    peer.in_flight += count;
  }
  if (!submitted.bundles.empty()) feed(std::move(submitted));
}

void Simulator::grant(std::size_t i) {
  Peer& peer = *peers_[i];
  if (!peer.ready) return;
  peer.credit_entries = std::max(peer.credit_entries, peer.got_entries + dice(6));
  peer.credit_bytes = std::max(peer.credit_bytes, peer.got_bytes + dice(4000));
  feed(CreditGranted{peer.connection, peer.credit_entries, peer.credit_bytes});
}

void Simulator::acknowledge(std::size_t i) {
  Peer& peer = *peers_[i];
  if (peer.ready && peer.delivered > 0) feed(Acknowledged{peer.connection, peer.delivered});
}

// --- what the agents are told, and what must hold
// ----------------------------------------------------

void Simulator::on_output(std::size_t i, const Bytes& bytes) {
  trace(bytes);
  const auto frame = Frame::parse(bytes, limits::kFrameBytes);
  if (!frame) return violate("the broker made a bad frame");
  Peer& peer = *peers_[i];
  if (!peer.ready) return violate("a frame before Ready");
  if (const auto* accepted = frame->as<wire::Accepted>()) on_accepted(peer, *accepted);
  if (const auto* rejected = frame->as<wire::Rejected>()) on_rejected(peer, *rejected);
  if (const auto* deliver = frame->as<wire::Deliver>()) on_deliver(i, *deliver);
}

void Simulator::on_accepted(Peer& peer, const wire::Accepted& accepted) {
  const Bytes statement = to_bytes(span_of(accepted.acceptance()));
  const auto acceptance = verified_root<wire::Acceptance>(statement, "SWAC", Errc::frame_field);
  if (!acceptance) return violate("a bad acceptance");
  for (const auto* receipt : *(*acceptance)->receipts()) {
    const auto id = value<EnvelopeId>(receipt->id());
    const auto found = std::find_if(peer.outbox.begin(), peer.outbox.end(),
                                    [&id](const auto& made) { return made.header.id == id; });
    if (found == peer.outbox.end()) {
      if (!receipted_.contains(id)) violate("a receipt for what nobody sent");
      continue;  // of a repetition
    }
    if (value<Digest>(receipt->digest()) != found->digest) violate("a receipt with a wrong digest");
    std::size_t receiver = kPeers;
    for (const Pair& pair : pairs_)
      if (pair.conversation == found->header.conversation)
        receiver = peers_[pair.a]->agent.instance() == found->header.sender ? pair.b : pair.a;
    receipted_.insert(id);
    // The commit that opens a conversation goes into nobody's mailbox.
    if (found->header.kind != Kind::commit) accepted_[id] = {receiver, found->header.conversation};
    ++result_.accepted;
    // The chain makes acceptance run in order within a conversation, so only whole prefixes go.
    if (found - peer.outbox.begin() < static_cast<std::ptrdiff_t>(peer.in_flight)) --peer.in_flight;
    peer.outbox.erase(found);
  }
}

// Nothing here is refused but for a failed disk: it is sent again.
void Simulator::on_rejected(Peer& peer, const wire::Rejected& rejected) {
  for (const auto* rejection : *rejected.rejections()) {
    // What followed a refused envelope in its chain is chain_broken.
    if (rejection->code() != wire::Code::unavailable &&
        rejection->code() != wire::Code::chain_broken && rejection->code() != wire::Code::denied)
      violate(std::string("refused: ") + wire::EnumNameCode(rejection->code()));
  }
  peer.in_flight = 0;
}

void Simulator::on_deliver(std::size_t i, const wire::Deliver& deliver) {
  Peer& peer = *peers_[i];
  for (const auto* entry : *deliver.entries()) {
    ++peer.got_entries;
    if (peer.got_entries > peer.credit_entries) violate("more entries than credit");
    const auto* delivery = entry->item_as_Delivery();
    if (delivery == nullptr) {
      violate("something else than an envelope");
      continue;
    }
    const ByteSpan bytes = span_of(delivery->envelope());
    peer.got_bytes += bytes.size();
    if (peer.got_bytes > peer.credit_bytes) violate("more bytes than credit");
    if (entry->sequence() != peer.delivered + 1) violate("the mailbox's sequence has a gap");
    peer.delivered = entry->sequence();
    const auto [first, fresh] =
        mailbox_.emplace(std::pair(i, entry->sequence()), crypto::blake2b(bytes));
    if (!fresh && first->second != crypto::blake2b(bytes))
      violate("a sequence was given to two envelopes");
    if (entry->sequence() <= peer.processed) continue;
    peer.processed = entry->sequence();

    const auto envelope = Envelope::parse(to_bytes(bytes));
    if (!envelope) return violate("an envelope was changed");
    const Header& header = envelope->header();
    if (++received_[header.id] > 1) violate("an envelope twice in a mailbox");
    ++result_.delivered;
    auto& last = last_conversation_sequence_[{i, header.conversation}];
    if (entry->conversation_sequence() <= last) violate("the conversation's order is broken");
    last = entry->conversation_sequence();
    for (Pair& pair : pairs_)
      if (header.kind == Kind::welcome && pair.conversation == header.conversation) {
        pair.joined = true;
        peer.agent.join(header.conversation);
      }
  }
}

// --- the schedule
// ------------------------------------------------------------------------------------

void Simulator::step() {
  take_and_commit();
  if (router_->busy()) {
    router_->pump(now_);
    drain_outputs();
  }
}

bool Simulator::quiet() const {
  if (batch_ || router_->busy()) return false;
  for (const auto& peer : peers_)
    if (!peer->ready) return false;
  return true;
}

SimulationResult Simulator::run(std::size_t steps) {
  for (std::size_t n = 0; n < steps && !result_.violation; ++n) {
    now_ = now_ + dice(50);
    const std::size_t peer = dice(kPeers);
    switch (dice(12)) {
      case 0:
      case 1:
        compose(peer);
        break;
      case 2:
      case 3:
        transmit(peer);
        break;
      case 4:
      case 5:
        grant(peer);
        break;
      case 6:
        acknowledge(peer);
        break;
      case 7:
        connect(peer);
        break;
      case 8:
        if (dice(6) == 0) disconnect(peer);
        break;
      case 9:
        if (dice(8) == 0) {
          store_.fail_commits(dice(2) == 0 ? Errc::store_full : Errc::store_failed);
          take_and_commit();
          take_and_commit();
          store_.fail_commits(std::nullopt);
          ++result_.failed_commits;
        }
        break;
      case 10:
        if (dice(20) == 0) crash();
        break;
      default:
        step();
        break;
    }
    if (dice(100) == 0) {
      router_->on_timer(now_);
      drain_outputs();
    }
  }
  // Peace: nothing that was accepted may be missing.
  for (std::size_t round = 0; round < 2000 && !result_.violation; ++round) {
    bool done = quiet();
    for (std::size_t i = 0; i < kPeers; ++i) {
      Peer& peer = *peers_[i];
      if (peer.connection == 0) connect(i);
      if (!peer.outbox.empty() && round % 4 == 0) peer.in_flight = 0;
      transmit(i);
      grant(i);
      acknowledge(i);
      done = done && peer.outbox.empty();
    }
    step();
    step();
    for (const auto& [id, to] : accepted_)
      done = done && received_.contains(id);
    if (done) break;
  }
  for (const auto& [id, to] : accepted_)
    if (!received_.contains(id)) violate("accepted and lost: " + hex(id));
  for (const auto& peer : peers_)
    if (!peer->outbox.empty()) violate("an outbox never emptied");
  return result_;
}

}  // namespace sealwire::test
