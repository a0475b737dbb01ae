// Inbox: what is in an entry, by kind.
#include "protocol/identity/did_key.h"
#include "protocol/letter/letter.h"
#include "protocol/limits.h"
#include "sdk/cpp/core/inbox.h"

namespace sealwire::sdk {
namespace {

constexpr char kRefusalId[] = "SWNK";

Digest letter_name(const Header& header) {
  return crypto::blake2b(crypto::labelled("sealwire/0 sdk letter", {header.sender, header.id}));
}

bool holds_signature(const Envelope& envelope) {
  return verify_remains(envelope.header(), envelope.header_bytes(), envelope.body_hash(),
                        envelope.signature());
}

}  // namespace

Result<Inbox::Outcome> Inbox::process(const Entry& entry) {
  switch (entry.type) {
    case wire::Item::Delivery:
      return on_envelope(entry);
    case wire::Item::Tombstone:
      on_tombstone(entry);
      return Outcome::done;
    case wire::Item::Refused:
      on_refused(entry);
      return Outcome::done;
    default:
      peers_.on_redeemed(entry.statement, entry.inception);
      return Outcome::done;
  }
}

Result<Inbox::Outcome> Inbox::on_envelope(const Entry& entry) {
  auto parsed = Envelope::parse(entry.bytes);
  if (!parsed) {
    // The broker has checked all of this: it is damaged, or the broker is. There is nothing to name
    // in a refusal.
    shared_.notice(Notice::Kind::undecryptable, "a malformed envelope", parsed.error());
    return Outcome::done;
  }
  const PeerRow* peer = peers_.find_instance(parsed->header().sender);
  if (peer == nullptr && entry.sequence != 0) {
    if (!std::exchange(asked_, true)) peers_.resolve_unknown();
    if (peers_.resolving()) return Outcome::stalled;
  }
  if (peer == nullptr || peer->contact != Peer::Contact::allowed) {
    if (entry.sequence != 0)
      refuse(entry, *parsed, nullptr, {Errc::denied, "from an agent that is not a peer"});
    return Outcome::done;
  }
  switch (parsed->header().kind) {
    case Kind::welcome:
      SW_CHECK(on_welcome(entry, *peer, std::move(*parsed)));
      break;
    case Kind::letter:
      SW_CHECK(on_letter(entry, *peer, std::move(*parsed)));
      break;
    default:
      SW_CHECK(on_group_envelope(entry, *peer, std::move(*parsed)));
  }
  return Outcome::done;
}

Result<> Inbox::on_group_envelope(const Entry& entry, const PeerRow& peer, Envelope envelope) {
  const Header& header = envelope.header();
  Conversation* conversation = conversations_.find(header.conversation);
  // The commit that comes with a Welcome for us: its group is what the Welcome brings.
  if (header.kind == Kind::commit && header.epoch == 0) return {};
  if (conversation != nullptr && conversation->peer_instance == header.sender &&
      conversations_.is_ahead(*conversation, header) && holds_signature(envelope))
    SW_CHECK(conversations_.catch_up(*conversation));
  if (conversation == nullptr || conversation->peer_instance != header.sender ||
      header.incarnation > conversation->incarnation) {
    if (entry.sequence != 0)
      // `unknown` tells the sender that this is not about one message: it opens another group.
      refuse(entry, envelope, &peer.agent, {Errc::mls_epoch, "for a group that we are not in"},
             wire::Code::unknown);
    return {};
  }
  if (header.incarnation < conversation->incarnation) {
    if (entry.sequence != 0)
      refuse(entry, envelope, &peer.agent, {Errc::mls_epoch, "for a group that was replaced"});
    return {};
  }
  if (header.durability == Durability::transient) {
    if (conversation->received.follows(header)) take(entry, *conversation, envelope);
    return {};
  }
  if (conversation->received.passed(header)) return {};  // processed before
  if (!conversation->received.at(header)) {
    hold(entry, *conversation, envelope);
    return {};
  }
  if (!conversation->received.follows(header)) {
    // At the right place with another past: somebody's chain was forked or cut.
    const Error error{Errc::chain_broken, "does not continue its sender's chain"};
    refuse(entry, envelope, &peer.agent, error);
    shared_.notice(Notice::Kind::chain_broken, error.detail, error, &peer.agent);
    outbox_.reopen(*conversation);
    return {};
  }
  take(entry, *conversation, envelope);
  take_held(*conversation);
  return {};
}

void Inbox::take(const Entry& entry, Conversation& conversation, const Envelope& envelope) {
  const Header& header = envelope.header();
  const bool chained = header.chained();
  Result<Bytes> opened = Bytes{};
  Result<> acceptable = header.kind == Kind::commit ? Result<>() : check_times(header, shared_.now);
  if (!acceptable)
    opened = fail(acceptable.error());
  else if (header.kind == Kind::commit) {
    if (const auto processed = conversations_.process_commit(conversation, envelope); !processed)
      opened = fail(processed.error());
  } else {
    opened = conversations_.open_application(conversation, envelope);
  }
  if (opened) {
    if (chained) {
      conversation.received.advance(header, envelope.link());
      conversations_.touch(conversation);
    }
    if (header.kind == Kind::application)
      take_plaintext(entry, *opened, envelope, conversation.peer);
    return;
  }
  if (!chained) return;  // a transient promises nothing
  if (opened.error().code == Errc::state_corrupt || opened.error().code == Errc::store_failed)
    return shared_.stop(opened.error());
  refuse(entry, envelope, &conversation.peer, opened.error());
  // If its sender did sign it, the chain goes on behind it; if not, the broker made it up and the
  // true one may still come.
  if (!holds_signature(envelope)) return;
  conversation.received.advance(header, envelope.link());
  conversations_.touch(conversation);
  if (header.kind == Kind::commit || header.epoch > conversation.epoch)
    outbox_.reopen(conversation);
}

void Inbox::hold(const Entry& entry, Conversation& conversation, const Envelope& envelope) {
  const Header& header = envelope.header();
  auto& held = held_[conversation.id];
  const std::pair position(header.epoch, header.sender_seq);
  if (held.contains(position)) return;
  // Nothing inside has been verified, and what is held keeps its place: proof before memory.
  if (!holds_signature(envelope))
    return refuse(entry, envelope, &conversation.peer, {Errc::envelope_signature, "out of turn"});
  const Error error{Errc::chain_broken, "something before it is missing"};
  shared_.notice(Notice::Kind::chain_broken, error.detail, error, &conversation.peer);
  if (held.size() >= limits::kHeldPerSender)
    return refuse(entry, envelope, &conversation.peer, error);
  HeldRow row{next_held_++, entry.conversation_sequence, envelope.bytes()};
  shared_.write(Table::held, RowKey(row.number), encode(row));
  held.emplace(position, std::move(row));
}

void Inbox::take_held(Conversation& conversation) {
  const auto waiting = held_.find(conversation.id);
  if (waiting == held_.end()) return;
  while (!waiting->second.empty()) {
    const HeldRow& first = waiting->second.begin()->second;
    auto envelope = Envelope::parse(first.envelope);
    const bool current = envelope && envelope->header().incarnation == conversation.incarnation;
    if (current && !conversation.received.passed(envelope->header())) {
      if (!conversation.received.follows(envelope->header())) return;
      Entry entry;  // without a sequence: it was acknowledged when it was held
      entry.conversation_sequence = first.conversation_sequence;
      take(entry, conversation, *envelope);
    }
    shared_.erase(Table::held, RowKey(first.number));
    waiting->second.erase(waiting->second.begin());
  }
  held_.erase(waiting);
}

void Inbox::take_plaintext(const Entry& entry, ByteSpan plaintext, const Envelope& envelope,
                           const AgentId& from) {
  const Header& header = envelope.header();
  auto contents = decode_content(plaintext);
  if (!contents) return refuse(entry, envelope, &from, contents.error());
  for (std::size_t i = 0; i < contents->size(); ++i) {
    Received received;
    received.id = message_id(header.id, static_cast<std::uint16_t>(i));
    received.from = from;
    received.conversation = header.conversation;
    received.content = std::move((*contents)[i]);
    received.sent = header.created;
    received.provenance = header.provenance;
    received.transient = header.durability == Durability::transient;
    received.letter = header.kind == Kind::letter;
    received.sequence = received.transient ? 0 : entry.conversation_sequence;
    if (received.content.kind == ContentKind::request && received.content.deadline.value != 0 &&
        received.content.deadline <= shared_.now) {
      shared_.notice(Notice::Kind::request_expired, "", {}, &from, &received.id);
      continue;
    }
    if (!received.transient) {
      received.number = next_number_++;
      ++waiting_;
      shared_.write(Table::inbox, RowKey(received.number), encode(received));
    }
    shared_.tell(std::move(received));
  }
}

Result<> Inbox::on_welcome(const Entry& entry, const PeerRow& peer, Envelope envelope) {
  const Header& header = envelope.header();
  const Conversation* known = conversations_.find(header.conversation);
  if (known != nullptr && header.incarnation <= known->incarnation) return {};  // came before
  const auto deny = [&](const Error& error) -> Result<> {
    refuse(entry, envelope, &peer.agent, error);
    return {};
  };
  // `names` and the position are signed by the envelope's signature only.
  if (!holds_signature(envelope)) return deny({Errc::envelope_signature, "of a Welcome"});
  if (known != nullptr && known->peer != peer.agent)
    return deny({Errc::not_a_member, "a Welcome into another's conversation"});
  const auto refs = mls::welcome_recipients(envelope.body());
  if (!refs) return deny(refs.error());
  std::optional<mls::KeyPackageBundle> bundle;
  for (const Bytes& ref : *refs) {
    SW_TRY(bundle, keys_.find(ref));
    if (bundle) break;
  }
  if (!bundle)
    return deny({Errc::mls_key_package_invalid, "a Welcome for a key package of nobody's"});
  const auto joined = conversations_.join(peer.agent, envelope, *bundle);
  if (!joined) return deny(joined.error());
  keys_.used(*bundle);
  for (const auto& [position, row] : held_[header.conversation])
    shared_.erase(Table::held, RowKey(row.number));
  held_.erase(header.conversation);
  shared_.notice(Notice::Kind::conversation_opened, "by the peer", {}, &peer.agent);
  return {};
}

Result<> Inbox::on_letter(const Entry& entry, const PeerRow& peer, Envelope envelope) {
  const Header& header = envelope.header();
  const Digest name = letter_name(header);
  if (letters_.contains(name)) return {};
  const auto deny = [&](const Error& error) -> Result<> {
    refuse(entry, envelope, &peer.agent, error);
    return {};
  };
  // Nothing inside a letter names its sender (E2E-043).
  if (!holds_signature(envelope)) return deny({Errc::envelope_signature, "of a letter"});
  if (header.recipients != std::vector{shared_.self.instance})
    return deny({Errc::not_a_member, "a letter for another"});
  if (const auto timely = check_times(header, shared_.now); !timely) return deny(timely.error());
  const auto prekey = letter_prekey(envelope.body());
  if (!prekey) return deny(prekey.error());
  SW_TRY(const auto secret, keys_.find_prekey(*prekey));
  if (!secret) return deny({Errc::letter_prekey_unknown, "for a prekey that is gone"});
  const auto opened = open_letter(*secret, envelope.header_bytes(), envelope.body());
  if (!opened) return deny(opened.error());
  std::erase_if(letters_, [this](const auto& letter) {
    if (letter.second > shared_.now) return false;
    shared_.erase(Table::ids, RowKey(letter.first.span()));
    return true;
  });
  letters_[name] = header.expires;
  Writer row;
  shared_.write(Table::ids, RowKey(name.span()), std::move(row.u64(header.expires.value)).take());
  take_plaintext(entry, *opened, envelope, peer.agent);
  return {};
}

void Inbox::on_tombstone(const Entry& entry) {
  const auto header = decode_header(entry.bytes);
  if (!header || !verify_remains(*header, entry.bytes, entry.body_hash, entry.signature)) {
    shared_.notice(Notice::Kind::chain_broken, "a tombstone that its sender did not sign");
    return;
  }
  const PeerRow* peer = peers_.find_instance(header->sender);
  const AgentId* from = peer == nullptr ? nullptr : &peer->agent;
  const MessageId id = message_id(header->id, 0);
  Conversation* conversation = conversations_.find(header->conversation);
  if (conversation != nullptr && header->chained() &&
      conversation->incarnation == header->incarnation &&
      conversation->peer_instance == header->sender) {
    if (conversation->received.passed(*header)) return;
    if (!conversation->received.follows(*header)) {
      shared_.notice(Notice::Kind::chain_broken, "a tombstone out of turn", {}, from, &id);
      return;
    }
    conversation->received.advance(*header, link_of(entry.bytes, entry.body_hash));
    conversations_.touch(*conversation);
    take_held(*conversation);
  }
  shared_.notice(Notice::Kind::lost, "expired or purged before it came", {}, from, &id);
}

void Inbox::on_refused(const Entry& entry) {
  const auto root =
      verified_root<wire::Refusal>(entry.statement.statement, kRefusalId, Errc::frame_malformed);
  if (!root) return;
  const auto issuer = InstanceKey::from(span_of((*root)->issuer()));
  const auto id = EnvelopeId::from(span_of((*root)->id()));
  if (!issuer || !id || !verify_statement(issuer->bytes, label::kRefusal, entry.statement)) return;
  const PeerRow* peer = peers_.find_instance(*issuer);
  const bool by_broker = issuer->bytes == session_.info().broker.bytes;
  if (peer == nullptr && !by_broker) return;
  const Error error{errc_of((*root)->code()),
                    by_broker ? "refused by the broker" : "refused by its receiver"};
  shared_.tell(RefusedLater{*id, error});
  if (peer == nullptr) return;
  Conversation* conversation = conversations_.for_sending(peer->agent);
  if (conversation == nullptr) return;
  // Our opening could not be joined, or the peer has lost its state; not what was refused before
  // the conversation was opened as it is now.
  const bool not_joined = conversation->opened_by == *id;
  const bool lost = (*root)->code() == wire::Code::unknown &&
                    (*root)->created_ms() >= conversation->last_update.value;
  if ((not_joined || lost) && !conversation->reopen) outbox_.reopen(*conversation);
}

void Inbox::refuse(const Entry& entry, const Envelope& envelope, const AgentId* from,
                   const Error& error, wire::Code code) {
  const MessageId message = message_id(envelope.header().id, 0);
  shared_.notice(Notice::Kind::undecryptable, error.detail, error, from, &message);
  if (entry.sequence == 0) return;
  flatbuffers::FlatBufferBuilder b;
  const auto issuer = put(b, shared_.self.instance.bytes);
  const auto id = put(b, envelope.header().id.bytes);
  const auto digest = put(b, envelope.digest().bytes);
  SignedStatement refusal{
      finish_statement(b, wire::CreateRefusal(b, issuer, id, digest, code, shared_.now.value),
                       kRefusalId),
      {}};
  refusal.signature = sign_statement(shared_.key, label::kRefusal, refusal.statement);
  Writer row;
  row.bytes(refusal.statement).raw(refusal.signature);
  shared_.write(Table::nacks, RowKey(entry.sequence), std::move(row).take());
  nacks_[entry.sequence] = {std::move(refusal), 0};
}

}  // namespace sealwire::sdk
