#include "conformance/peer/session.h"

#include <cstdlib>

#include "conformance/runner/failure.h"
#include "conformance/runner/trace.h"

namespace conformance {

SessionClosed::SessionClosed(std::optional<Code> why)
    : std::runtime_error(why ? "Close(" + code_name(*why) + ")"
                             : "the connection closed without Close"),
      code(why) {}

namespace {
SignedView signed_of(const wire::Signed* from) {
  expect_size(view(from->signature()), 64, "Signed.signature");
  return {copy(from->statement()), copy(from->signature())};
}
}  // namespace

Session::Session(Handshake done) : handshake(std::move(done)), keys_(handshake.keys()) {
  const auto message = connection().receive();
  if (!message) throw SessionClosed(std::nullopt);
  if (const auto code = Frame::close_code(*message)) {
    Trace::received(*message);
    throw SessionClosed(*code);
  }
  const Frame first = open(*message);
  const auto* ready = first.as<wire::Ready>();
  if (ready == nullptr) throw Failure(first.name() + " instead of Ready (SES-015)");
  session_id = copy(ready->session());
  incarnation = copy(ready->incarnation());
  now_at_ready = ready->now_ms();
  mailbox_acked = ready->mailbox_acked();
  mailbox_last = ready->mailbox_last();
  key_packages = ready->key_packages();
}

Frame Session::open(const Bytes& message) {
  if (keys_.in.empty()) {
    Trace::received(message);
    return Frame(message);
  }
  const auto opened = aead_open(keys_.in, received_++, message);
  if (!opened) throw Failure("the target's sealed frame does not open (SES-021)");
  Trace::received(*opened);
  return Frame(*opened);
}

Bytes Session::seal(const Bytes& bytes) {
  return keys_.out.empty() ? bytes : aead_seal(keys_.out, sent_++, bytes);
}

Bytes Session::receive_sealed() {
  const auto message = connection().receive();
  if (!message) throw SessionClosed(std::nullopt);
  ++received_;
  return *message;
}

void Session::send_frame(const Bytes& bytes) {
  Trace::sent(bytes);
  connection().send(seal(bytes));
}

void Session::pump(int wait_ms) {
  const auto message = connection().receive(wait_ms);
  if (!message) {
    Trace::note("< the connection closed");
    throw SessionClosed(std::nullopt);
  }
  auto frame = std::make_shared<Frame>(open(*message));
  switch (frame->type()) {
    case wire::Body::Close:
      throw SessionClosed(frame->as<wire::Close>()->code());
    case wire::Body::Ping:
      if (answers_pings) send(Table{"Pong", {{"nonce", frame->as<wire::Ping>()->nonce()}}});
      return;
    case wire::Body::Pong:
      return pongs.push_back(frame->as<wire::Pong>()->nonce());
    case wire::Body::Accepted:
      return on_accepted(*frame->as<wire::Accepted>());
    case wire::Body::Rejected:
      for (const auto* r : *frame->as<wire::Rejected>()->rejections()) {
        if (receipts_.contains(copy(r->id())))
          throw Failure("an envelope is accepted and rejected");
        rejections_[copy(r->id())] = {
            r->code(),
            r->incarnation(),
            r->epoch(),
            {copy(r->last_header()), copy(r->last_body_hash()), copy(r->last_signature())}};
      }
      return;
    case wire::Body::Deliver:
      return on_deliver(*frame->as<wire::Deliver>());
    case wire::Body::Reply: {
      const auto* reply = frame->as<wire::Reply>();
      if (reply->code() != Code::ok && reply->response_type() != wire::Response::NONE)
        throw Failure("a Reply with a code has a response (DLV-055)");
      if (!replies_.emplace(reply->id(), frame).second)
        throw Failure("a second Reply to one Call (DLV-050)");
      return;
    }
    default:
      throw Failure("the target sent " + frame->name() + ", which it may not");
  }
}

void Session::on_accepted(const wire::Accepted& accepted) {
  const SignedView signed_bytes{copy(accepted.acceptance()), copy(accepted.signature())};
  if (!verify(handshake.broker_key, labelled("sealwire/0 acceptance", {signed_bytes.statement}),
              signed_bytes.signature))
    throw Failure("the Acceptance's signature does not verify (DLV-003)");
  Bytes held = signed_bytes.statement;
  flatbuffers::Verifier verifier(held.data(), held.size(), 4, 64);
  if (held.size() > 8192 || !identified(held, "SWAC") ||
      !verifier.VerifyBuffer<wire::Acceptance>("SWAC"))
    throw Failure("the Acceptance does not verify as a statement (DLV-003)");
  const auto* acceptance = flatbuffers::GetRoot<wire::Acceptance>(held.data());
  if (copy(acceptance->incarnation()) != incarnation)
    throw Failure("the Acceptance names another incarnation than Ready (DLV-003)");
  const auto accepted_at = static_cast<std::int64_t>(acceptance->accepted_ms());
  if (std::llabs(accepted_at - static_cast<std::int64_t>(now_ms())) > 300'000)
    throw Failure("the Acceptance's time is more than 5 minutes off (DLV-003)");
  for (const auto* r : *acceptance->receipts()) {
    expect_size(view(r->id()), 16, "Receipt.id");
    expect_size(view(r->digest()), 32, "Receipt.digest");
    receipts_[copy(r->id())] = {copy(r->id()), copy(r->digest()), r->sequence()};
  }
  acceptances.push_back(signed_bytes);
}

void Session::on_deliver(const wire::Deliver& deliver) {
  if (deliver.entries()->size() == 0 || deliver.entries()->size() > 256)
    throw Failure("a Deliver with " + std::to_string(deliver.entries()->size()) +
                  " entries (FRM-008)");
  for (const auto* from : *deliver.entries()) {
    Entry entry;
    entry.sequence = from->sequence();
    entry.conversation_sequence = from->conversation_sequence();
    entry.type = from->item_type();
    if (const auto* delivery = from->item_as_Delivery()) {
      entry.envelope = copy(delivery->envelope());
      entry.cost = entry.envelope.size();
    } else if (const auto* tombstone = from->item_as_Tombstone()) {
      entry.remains = {copy(tombstone->header()), copy(tombstone->body_hash()),
                       copy(tombstone->signature())};
      expect_size(entry.remains.body_hash, 32, "Tombstone.body_hash");
      expect_size(entry.remains.signature, 64, "Tombstone.signature");
      entry.cost = entry.remains.header.size() + 96;
    } else if (const auto* refused = from->item_as_Refused()) {
      entry.statement = signed_of(refused->refusal());
      entry.cost = entry.statement.statement.size() + 64;
    } else if (const auto* redeemed = from->item_as_Redeemed()) {
      entry.statement = signed_of(redeemed->redemption());
      entry.inception = signed_of(redeemed->inception());
      entry.cost = entry.statement.statement.size() + entry.inception.statement.size() + 128;
    } else {
      throw Failure("an entry with an unknown item");
    }
    used_entries_ += 1;
    used_bytes_ += entry.cost;
    if (used_entries_ > credit_entries_ || used_bytes_ > credit_bytes_)
      throw Failure("the target delivered beyond the credit (DLV-022)");
    entries.push_back(std::move(entry));
  }
}

Answer Session::await_answer(const std::vector<Envelope>& bundle) {
  const Bytes& first = bundle.at(0).id;
  while (!receipts_.contains(first) && !rejections_.contains(first))
    pump();
  if (const auto found = rejections_.find(first); found != rejections_.end())
    return {found->second, {}};
  Answer answer;
  for (const Envelope& envelope : bundle) {
    const auto found = receipts_.find(envelope.id);
    if (found == receipts_.end())
      throw Failure("Accepted names the bundle's first envelope and not all (DLV-003)");
    if (found->second.digest != envelope.digest())
      throw Failure("the receipt has another digest than the envelope (DLV-003)");
    answer.receipts.push_back(found->second);
  }
  return answer;
}

std::vector<Answer> Session::send_bundles(const std::vector<std::vector<Envelope>>& bundles) {
  std::vector<Table> tables;
  for (const auto& bundle : bundles) {
    std::vector<Table> envelopes;
    for (const Envelope& envelope : bundle) {
      receipts_.erase(envelope.id);
      rejections_.erase(envelope.id);
      envelopes.push_back({"EnvelopeBytes", {{"bytes", envelope.bytes}}});
    }
    tables.push_back({"Bundle", {{"envelopes", envelopes}}});
  }
  send(Table{"Send", {{"bundles", tables}}});
  std::vector<Answer> answers;
  for (const auto& bundle : bundles)
    answers.push_back(await_answer(bundle));
  return answers;
}

Answer Session::send_raw(const Bytes& envelope, const Bytes& id) {
  rejections_.erase(id);
  receipts_.erase(id);
  send(Table{
      "Send",
      {{"bundles",
        std::vector<Table>{
            {"Bundle",
             {{"envelopes", std::vector<Table>{{"EnvelopeBytes", {{"bytes", envelope}}}}}}}}}}});
  const Bytes unread(16);  // the id of an envelope of which none could be read
  rejections_.erase(unread);
  for (;; pump()) {
    if (receipts_.contains(id)) return {std::nullopt, {receipts_[id]}};
    for (const Bytes& named : {id, unread})
      if (rejections_.contains(named)) return {rejections_[named], {}};
  }
}

Session::Replied Session::call(Table request) {
  const std::uint32_t id = ++calls_;
  send(Table{"Call", {{"id", id}, {"request", std::move(request)}}});
  while (!replies_.contains(id))
    pump();
  const auto& reply = replies_[id];
  return {reply->as<wire::Reply>()->code(), reply};
}

void Session::grant(std::uint64_t more, std::uint64_t bytes) {
  credit_entries_ += more;
  credit_bytes_ = bytes;
  send(Table{"Credit", {{"entries", credit_entries_}, {"bytes", bytes}}});
}

Entry Session::take() {
  while (entries.empty())
    pump();
  Entry first = std::move(entries.front());
  entries.pop_front();
  return first;
}

bool Session::nothing_comes() {
  // Twice: a broker may answer the first Ping before it delivers what came in with it.
  for (int round = 0; round < 2; ++round) {
    std::uint64_t nonce = 0;
    for (const std::uint8_t byte : random_bytes(8))
      nonce = nonce << 8 | byte;
    send(Table{"Ping", {{"nonce", nonce}}});
    while (std::find(pongs.begin(), pongs.end(), nonce) == pongs.end())
      pump();
  }
  return entries.empty();
}

void Session::nack(const Agent& signer, std::uint64_t sequence, View id, View digest, Code code,
                   View issuer) {
  const Signed refusal = sign_statement(signer.seed, "refusal",
                                        finish("SWNK", {"Refusal",
                                                        {{"issuer", copy(issuer)},
                                                         {"id", copy(id)},
                                                         {"digest", copy(digest)},
                                                         {"code", code},
                                                         {"created_ms", now_ms()}}}));
  send(Table{"Nack", {{"sequence", sequence}, {"refusal", refusal}}});
}

std::optional<Code> Session::closing_code() {
  try {
    for (;;)
      pump();
  } catch (const SessionClosed& closed) {
    return closed.code;
  }
}

void Session::close() {
  send(Table{"Close", {{"code", Code::closing}}});
  connection().close();
}

}  // namespace conformance
