#include "tests/support/raw_client.h"

#include "protocol/crypto/crypto.h"

namespace sealwire::test {

UnixMillis system_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count())};
}

RawAgent make_raw_agent(Random& random) {
  auto key = crypto::SigningKey::generate(random);
  auto identity = verify_inception(make_inception(key, system_now()));
  return {std::move(key), std::move(*identity)};
}

// --- transport -----------------------------------------------------------------------------------

RawClient::~RawClient() {
  running_.reset();
}

Result<> RawClient::dial(const std::string& uri,
                         const std::map<std::string, std::string>& options) {
  const auto* channel = channel::find_channel(uri);
  if (channel == nullptr) return fail(Errc::address_invalid, uri);
  channel::Endpoint endpoint;
  endpoint.uri = uri;
  endpoint.options = options;
  SW_TRY(running_, channel->dial(endpoint, *this));
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [this] { return connection_ || closed_; }))
    return fail(Errc::timeout, "dial " + uri);
  if (!connection_) return fail(*closed_);
  return {};
}

bool RawClient::send_raw(Bytes message) {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      writable_ = false;
    }
    switch (connection_->send(Bytes(message))) {
      case channel::Sent::taken:
        return true;
      case channel::Sent::closed:
        return false;
      case channel::Sent::full:
        break;
    }
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return writable_ || closed_; })) return false;
  }
}

Result<Bytes> RawClient::next_raw() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [this] { return !queue_.empty() || closed_; }))
    return fail(Errc::timeout, "no message");
  if (queue_.empty()) return fail(Errc::closed, closed_->detail);
  Bytes message = std::move(queue_.front());
  queue_.pop_front();
  return message;
}

Result<Error> RawClient::wait_close() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [this] { return closed_.has_value(); }))
    return fail(Errc::timeout, "still open");
  return *closed_;
}

void RawClient::close() {
  if (connection_) connection_->close("done");
}

void RawClient::on_open(const channel::ConnectionPtr& connection) {
  const std::lock_guard lock(mutex_);
  connection_ = connection;
  changed_.notify_all();
}

void RawClient::on_bytes(const channel::ConnectionPtr&, ByteSpan frame) {
  std::unique_lock lock(mutex_);
  if (handler_) {
    lock.unlock();
    return hand_over(frame);
  }
  queue_.push_back(to_bytes(frame));
  changed_.notify_all();
}

void RawClient::on_writable(const channel::ConnectionPtr&) {
  const std::lock_guard lock(mutex_);
  writable_ = true;
  changed_.notify_all();
}

void RawClient::on_close(const channel::ConnectionPtr&, const Error& error) {
  const std::lock_guard lock(mutex_);
  closed_ = error;
  changed_.notify_all();
}

// --- session -------------------------------------------------------------------------------------

Result<handshake::Ready> RawClient::prove(
    const RawAgent& agent, Random& random,
    const std::function<void(handshake::ClientParameters&)>& adjust) {
  handshake::ClientParameters parameters;
  parameters.inception = agent.identity.inception;
  parameters.agent = agent.identity.agent;
  if (adjust) adjust(parameters);
  const channel::Binding& bound = connection_->binding();
  handshake::Client client(agent.key, std::move(parameters),
                           {static_cast<wire::Binding>(bound.type), bound.value}, random);
  if (!send_raw(client.hello())) return fail(Errc::closed, "before Hello");
  SW_TRY(const Bytes challenge, next_raw());
  SW_TRY(Bytes proof, client.on_challenge(challenge));
  if (!send_raw(std::move(proof))) return fail(Errc::closed, "before Proof");
  SW_TRY(const Bytes message, next_raw());
  SW_TRY(handshake::Ready ready, client.on_ready(message));
  protection_ = std::move(client).protection();
  connection_->promote();
  return ready;
}

Result<handshake::Ready> RawClient::connect(const std::string& uri, const RawAgent& agent,
                                            Random& random) {
  SW_CHECK(dial(uri));
  return prove(agent, random);
}

bool RawClient::send(Bytes frame) {
  return send_raw(protection_.seal(std::move(frame)));
}

Result<Bytes> RawClient::next() {
  SW_TRY(const Bytes message, next_raw());
  return protection_.open(message);
}

Result<Bytes> RawClient::expect(wire::Body type) {
  while (true) {
    SW_TRY(Bytes bytes, next());
    SW_TRY(const Frame frame, Frame::parse(bytes, limits::kFrameBytes));
    if (frame.type() == type) return bytes;
    if (frame.type() == wire::Body::Close)
      return fail(Errc::closed, wire::EnumNameCode(frame.as<wire::Close>()->code()));
  }
}

void RawClient::on_frame(std::function<void(const Frame&)> handler) {
  std::unique_lock lock(mutex_);
  while (!queue_.empty()) {
    const Bytes message = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    if (const auto opened = protection_.open(message))
      if (const auto frame = Frame::parse(*opened, limits::kFrameBytes)) handler(*frame);
    lock.lock();
  }
  handler_ = std::move(handler);
}

void RawClient::hand_over(ByteSpan message) {
  Bytes opened;
  if (protection_.sealed()) {
    auto plain = protection_.open(message);
    if (!plain) return connection_->close("unsealed");
    opened = std::move(*plain);
    message = opened;
  }
  const auto frame = Frame::parse(message, limits::kFrameBytes);
  if (!frame) return connection_->close("malformed");
  handler_(*frame);
}

// --- what most tests do --------------------------------------------------------------------------

Bytes credit_frame(std::uint64_t entries, std::uint64_t bytes) {
  flatbuffers::FlatBufferBuilder b;
  return finish_frame(b, wire::CreateCredit(b, entries, bytes));
}

Bytes ack_frame(std::uint64_t sequence) {
  flatbuffers::FlatBufferBuilder b;
  return finish_frame(b, wire::CreateAck(b, sequence));
}

Bytes set_contact_frame(std::uint32_t call, const AgentId& agent, wire::Contact contact) {
  flatbuffers::FlatBufferBuilder b;
  const auto request = wire::CreateSetContact(b, put(b, agent.bytes), contact);
  return finish_frame(b, wire::CreateCall(b, call, wire::Request::SetContact, request.Union()));
}

Result<> RawClient::allow(const AgentId& agent, wire::Contact contact) {
  const std::uint32_t call = ++last_call_;
  if (!send(set_contact_frame(call, agent, contact))) return fail(Errc::closed);
  while (true) {
    SW_TRY(const Bytes bytes, expect(wire::Body::Reply));
    SW_TRY(const Frame frame, Frame::parse(bytes, limits::kFrameBytes));
    const auto* reply = frame.as<wire::Reply>();
    if (reply->id() != call) continue;
    if (reply->code() != wire::Code::ok)
      return fail(Errc::denied, wire::EnumNameCode(reply->code()));
    return {};
  }
}

bool RawClient::credit(std::uint64_t entries, std::uint64_t bytes) {
  return send(credit_frame(entries, bytes));
}

bool RawClient::ack(std::uint64_t sequence) {
  return send(ack_frame(sequence));
}

// --- conversations -------------------------------------------------------------------------------

Header RawChain::next_header(Random& random, UnixMillis now) const {
  Header header;
  header.id = make_envelope_id(now, random);
  header.sender = agent->instance();
  header.kind = Kind::application;
  header.conversation = conversation;
  header.incarnation = incarnation;
  header.epoch = epoch;
  header.created = now;
  header.expires = now + kHourMs;
  header.sender_seq = sender_seq;
  header.previous = previous;
  return header;
}

SealedEnvelope RawChain::next(ByteSpan body, Random& random, UnixMillis now) {
  SealedEnvelope sealed = seal_envelope(encode_header(next_header(random, now)), body, agent->key);
  ++sender_seq;
  previous = sealed.link;
  return sealed;
}

RawOpening open_conversation(const RawAgent& creator, const RawAgent& joiner, Random& random,
                             UnixMillis now) {
  RawOpening opening;
  opening.creator = {&creator, random.make<ConversationId>(), 1, 0, 0, {}};
  opening.joiner = {&joiner, opening.creator.conversation, 1, 1, 0, {}};

  Header commit = opening.creator.next_header(random, now);
  commit.kind = Kind::commit;
  commit.recipients = {creator.instance(), joiner.instance()};
  const auto committed = seal_envelope(encode_header(commit), as_bytes("commit"), creator.key);

  Header welcome = opening.creator.next_header(random, now);
  welcome.kind = Kind::welcome;
  welcome.recipients = {joiner.instance()};
  welcome.names = committed.link;
  const auto welcomed = seal_envelope(encode_header(welcome), as_bytes("welcome"), creator.key);

  opening.bundle = {committed.bytes, welcomed.bytes};
  opening.creator.epoch = 1;
  opening.creator.previous = committed.link;
  return opening;
}

}  // namespace sealwire::test
