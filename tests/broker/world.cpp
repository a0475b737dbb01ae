#include "tests/broker/world.h"

#include <gtest/gtest.h>

#include "broker/frames_out.h"
#include "broker/item.h"
#include "tests/support/envelopes.h"

namespace sealwire::test {

using namespace sealwire::broker;

// --- Client --------------------------------------------------------------------------------------

namespace {
handshake::ChannelBinding binding_value(wire::Binding type) {
  return {type, type == wire::Binding::none ? Bytes{} : Bytes(32, 0x42)};
}
}  // namespace

Client::Client(World& world_, WorldAgent& agent_, ConnectionId id,
               handshake::ClientParameters parameters, wire::Binding binding)
    : world(world_),
      agent(agent_),
      door(id, world_.broker_key, {}, binding_value(binding), world_.random,
           world_.config.verification),
      handshake_(agent_.key(), std::move(parameters), binding_value(binding), world_.random) {}

void Client::hello_and_proof() {
  auto hello = ingress(door, handshake_.hello(), world.now);
  ASSERT_TRUE(hello) << hello.error().detail;
  auto proof = handshake_.on_challenge(*hello->answer);
  ASSERT_TRUE(proof) << proof.error().detail;
  auto proven = ingress(door, *proof, world.now);
  ASSERT_TRUE(proven) << proven.error().detail;
  transcript = std::get<PeerProven>(*proven->event).peer.transcript;
  world.feed(std::move(*proven->event));
}

void Client::send(Bytes frame) {
  auto ingressed = ingress(door, protection_.seal(std::move(frame)), world.now);
  if (!ingressed) {
    door.state = Doorway::State::closed;
    world.feed(Failed{door.connection, ingressed.error()});
  } else if (ingressed->event) {
    world.feed(std::move(*ingressed->event));
  }
}

void Client::send_bundles(const std::vector<std::vector<Bytes>>& bundles) {
  send(send_frame(bundles));
}

void Client::submit(const std::vector<MadeEnvelope>& bundle) {
  std::vector<Bytes> bytes;
  for (const MadeEnvelope& envelope : bundle)
    bytes.push_back(envelope.bytes);
  send_bundles({bytes});
}

void Client::credit(std::uint64_t entries_total, std::uint64_t bytes_total) {
  flatbuffers::FlatBufferBuilder b;
  send(finish_frame(b, wire::CreateCredit(b, entries_total, bytes_total)));
}

void Client::ack(std::uint64_t sequence) {
  flatbuffers::FlatBufferBuilder b;
  send(finish_frame(b, wire::CreateAck(b, sequence)));
}

void Client::nack(std::uint64_t sequence, const EnvelopeId& id, const Digest& digest) {
  flatbuffers::FlatBufferBuilder b;
  const SignedStatement refusal =
      make_refusal(agent.key(), id, digest, wire::Code::undecryptable, world.now);
  send(finish_frame(b, wire::CreateNack(b, sequence, to_wire(b, refusal))));
}

wire::Code Client::set_contact(const AgentId& other, wire::Contact contact) {
  flatbuffers::FlatBufferBuilder b;
  return reply_code(call(b, wire::CreateSetContact(b, put(b, other.bytes), contact)));
}

Bytes Client::reply(std::uint32_t call) const {
  const auto found = replies.find(call);
  if (found == replies.end()) {
    ADD_FAILURE() << "no reply to call " << call;
    return {};
  }
  return found->second;
}

wire::Code Client::reply_code(std::uint32_t call) const {
  const Bytes bytes = reply(call);
  const auto frame = Frame::parse(bytes, limits::kFrameBytes);
  return frame ? frame->as<wire::Reply>()->code() : wire::Code::malformed;
}

void Client::on_frame(Bytes bytes, bool is_ready) {
  if (is_ready) {
    auto got = handshake_.on_ready(door.protection.seal(std::move(bytes)));
    ASSERT_TRUE(got) << got.error().detail;
    ready = *got;
    door.ready = true;
    protection_ = std::move(handshake_).protection();
    return;
  }
  auto opened = protection_.open(door.protection.seal(std::move(bytes)));
  ASSERT_TRUE(opened);
  const auto frame = Frame::parse(*opened, limits::kFrameBytes);
  ASSERT_TRUE(frame) << "the broker made a frame that does not parse: " << frame.error().detail;
  on_body(*frame);
  if (const auto* answer = frame->as<wire::Reply>()) replies[answer->id()] = *opened;
}

void Client::on_body(const Frame& frame) {
  if (const auto* ping = frame.as<wire::Ping>()) pings.push_back(ping->nonce());
  if (const auto* pong = frame.as<wire::Pong>()) pongs.push_back(pong->nonce());
  if (const auto* frame_accepted = frame.as<wire::Accepted>()) {
    const SignedStatement statement{to_bytes(span_of(frame_accepted->acceptance())),
                                    value<Signature>(frame_accepted->signature())};
    ASSERT_TRUE(verify_statement(world.broker_key.public_bytes(), label::kAcceptance, statement));
    const auto acceptance =
        verified_root<wire::Acceptance>(statement.statement, "SWAC", Errc::frame_field);
    ASSERT_TRUE(acceptance);
    for (const auto* receipt : *(*acceptance)->receipts()) {
      accepted[value<EnvelopeId>(receipt->id())] = receipt->sequence();
      ++receipts;
    }
  }
  if (const auto* rejected = frame.as<wire::Rejected>())
    for (const auto* r : *rejected->rejections()) {
      rejections.push_back(
          {value<EnvelopeId>(r->id()), r->code(), r->incarnation(), r->epoch(), {}});
      if (r->last_header() != nullptr)
        rejections.back().last =
            Remains{to_bytes(span_of(r->last_header())), value<Digest>(r->last_body_hash()),
                    value<Signature>(r->last_signature())};
    }
  if (const auto* deliver = frame.as<wire::Deliver>())
    for (const auto* entry : *deliver->entries()) {
      GotEntry got{
          entry->sequence(), entry->conversation_sequence(), entry->item_type(), {}, {}, {}, 0};
      if (const auto* delivery = entry->item_as_Delivery()) {
        got.envelope = to_bytes(span_of(delivery->envelope()));
        got.credit_bytes = got.envelope.size();
      }
      if (const auto* tombstone = entry->item_as_Tombstone()) {
        got.remains = {to_bytes(span_of(tombstone->header())),
                       value<Digest>(tombstone->body_hash()),
                       value<Signature>(tombstone->signature())};
        got.credit_bytes = got.remains.header.size() + Digest::kSize + Signature::kSize;
      }
      if (const auto* refused = entry->item_as_Refused())
        got.statements = {from_wire(*refused->refusal())};
      if (const auto* redeemed = entry->item_as_Redeemed())
        got.statements = {from_wire(*redeemed->redemption()), from_wire(*redeemed->inception())};
      for (const SignedStatement& statement : got.statements)
        got.credit_bytes += statement.statement.size() + Signature::kSize;
      entries.push_back(std::move(got));
    }
}

// --- World ---------------------------------------------------------------------------------------

World::World(std::uint64_t seed)
    : broker_key([seed] {
        SeededRandom own(~seed);
        return crypto::SigningKey::generate(own);
      }()),
      random(seed),
      store(random.make<BrokerIncarnation>()) {
  crypto::initialise();
  config.admission = Admission::open;
  restart();
}

void World::restart(std::optional<RouterConfig> with) {
  if (with) config = *with;
  held.reset();
  for (const auto& client : clients)
    if (!client->closed) client->closed = Errc::closed;
  auto made = Router::create(config, {&broker_key, &store, &random, &metrics, &log}, now);
  ASSERT_TRUE(made);
  router = std::move(*made);
}

Client& World::connect_mute(WorldAgent& agent, Connect how) {
  handshake::ClientParameters parameters;
  parameters.inception = agent.identity().inception;
  parameters.broker = broker_key.public_key<BrokerKey>();
  parameters.invite = how.invite;
  parameters.agent = agent.id();
  parameters.acked = how.acked;
  parameters.incarnation = how.incarnation;
  clients.push_back(std::make_unique<Client>(*this, agent, clients.size() + 1,
                                             std::move(parameters), how.binding));
  Client& client = *clients.back();
  client.hello_and_proof();
  return client;
}

Client& World::connect(WorldAgent& agent, Connect how) {
  Client& client = connect_mute(agent, how);
  if (client.ready) client.credit(1'000'000, 1ull << 40);
  return client;
}

void World::disconnect(Client& client) {
  client.closed = Errc::closed;
  feed(Left{client.door.connection});
}

void World::allow_each_other(Client& a, Client& b) {
  EXPECT_EQ(a.set_contact(b.agent.id(), wire::Contact::allowed), wire::Code::ok);
  EXPECT_EQ(b.set_contact(a.agent.id(), wire::Contact::allowed), wire::Code::ok);
}

ConversationId World::introduce(Client& a, Client& b) {
  allow_each_other(a, b);
  const ConversationId id = conversation_id();
  a.submit(a.agent.opening(id, b.agent, now));
  b.agent.join(id);
  return id;
}

void World::feed(Event event) {
  router->on_events(std::span(&event, 1), now);
  run();
}

void World::run() {
  dispatch();
  while (true) {
    if (router->busy()) router->pump(now);
    if (!held) held = router->take_batch();
    dispatch();
    if (hold_commits || !held) return;
    commit_one();
  }
}

void World::commit_one() {
  if (!held) return;
  Batch batch = std::move(*held);
  held.reset();
  router->on_committed(
      commit(store, broker_key, router->incarnation(), now, metrics, std::move(batch)), now);
  dispatch();
  if (hold_commits) {
    if (router->busy()) router->pump(now);
    held = router->take_batch();
    dispatch();
  }
}

void World::tick(std::uint64_t ms) {
  now = now + ms;
  router->on_timer(now);
  run();
}

void World::dispatch() {
  for (Output& output : router->take_outputs()) {
    std::visit(
        [this](auto& what) {
          using What = std::decay_t<decltype(what)>;
          Client& client = *clients.at(what.connection - 1);
          if (client.closed) return;
          if constexpr (std::is_same_v<What, CloseConnection>)
            client.on_close(what.why);
          else
            client.on_frame(std::move(what.frame), std::is_same_v<What, SendReady>);
        },
        output);
  }
}

}  // namespace sealwire::test
