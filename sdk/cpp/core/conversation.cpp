#include "sdk/cpp/core/conversation.h"

#include "protocol/identity/did_key.h"
#include "protocol/limits.h"

namespace sealwire::sdk {
namespace {

void write(Writer& out, const ChainPosition& chain) {
  out.u64(chain.epoch).u64(chain.next_seq).raw(chain.link);
}
ChainPosition read_chain(Reader& in) {
  ChainPosition chain;
  chain.epoch = in.u64();
  chain.next_seq = in.u64();
  chain.link = in.opaque<Digest>();
  return chain;
}

SecretBytes encode(const Conversation& from) {
  Writer out;
  out.raw(from.peer).raw(from.peer_instance).u32(from.incarnation).u64(from.epoch);
  write(out, from.sealed);
  write(out, from.accepted);
  write(out, from.received);
  out.u64(from.last_update.value).raw(from.opened_by).flag(from.reopen).u32(from.reopened);
  return std::move(out).take();
}

Result<Conversation> decode(ByteSpan key, ByteSpan value) {
  Reader in(value);
  Conversation to;
  to.id = ConversationId::from(key).value_or(ConversationId{});
  to.peer = in.opaque<AgentId>();
  to.peer_instance = in.opaque<InstanceKey>();
  to.incarnation = in.u32();
  to.epoch = in.u64();
  to.sealed = read_chain(in);
  to.accepted = read_chain(in);
  to.received = read_chain(in);
  to.last_update = {in.u64()};
  to.opened_by = in.opaque<EnvelopeId>();
  to.reopen = in.flag();
  to.reopened = in.u32();
  SW_CHECK(in.done("the conversations"));
  return to;
}

Bytes group_id(const ConversationId& conversation, std::uint32_t incarnation) {
  Bytes id = to_bytes(conversation.span());
  for (int shift = 24; shift >= 0; shift -= 8)
    id.push_back(static_cast<std::uint8_t>(incarnation >> shift));
  return id;
}

// E2E-002: the key in the DID is the leaf's key.
bool certifies_itself(const mls::LeafIdentity& claimed) {
  return as_text(claimed.identity) == did_key(claimed.signature_key);
}

}  // namespace

Result<> Conversations::load() {
  SW_CHECK(
      shared_.state.scan(Table::conversations, [this](ByteSpan key, SecretBytes value) -> Result<> {
        SW_TRY(Conversation loaded, decode(key, value.span()));
        by_peer_[loaded.peer].push_back(loaded.id);
        conversations_.emplace(loaded.id, std::move(loaded));
        return {};
      }));
  return shared_.state.scan(Table::openings, [this](ByteSpan key, SecretBytes value) -> Result<> {
    Conversation* conversation = find(ConversationId::from(key).value_or(ConversationId{}));
    if (conversation == nullptr) return fail(Errc::state_corrupt, "an opening of no conversation");
    Reader in(value.span());
    const std::uint32_t incarnation = in.u32();
    const ChainPosition chain = read_chain(in);
    const SecretBytes state(in.bytes());
    SW_CHECK(in.done("the openings"));
    SW_TRY(mls::Group group, mls::Group::deserialize(state.span(), std::nullopt, shared_.key,
                                                     policy(conversation->peer_instance)));
    conversation->opening.emplace(Opening{incarnation, std::move(group), chain});
    return {};
  });
}

Conversation* Conversations::find(const ConversationId& id) {
  const auto found = conversations_.find(id);
  return found == conversations_.end() ? nullptr : &found->second;
}

Conversation* Conversations::for_sending(const AgentId& peer) {
  Conversation* best = nullptr;
  const auto ids = by_peer_.find(peer);
  if (ids == by_peer_.end()) return nullptr;
  for (const ConversationId& id : ids->second) {
    Conversation* candidate = find(id);
    if (candidate->established() && (best == nullptr || candidate->id < best->id)) best = candidate;
  }
  return best;
}

Conversation* Conversations::opening_with(const AgentId& peer) {
  const auto ids = by_peer_.find(peer);
  if (ids == by_peer_.end()) return nullptr;
  for (const ConversationId& id : ids->second)
    if (Conversation* candidate = find(id); candidate->opening) return candidate;
  return nullptr;
}

const std::vector<ConversationId>& Conversations::with(const AgentId& peer) const {
  static const std::vector<ConversationId> none;
  const auto ids = by_peer_.find(peer);
  return ids == by_peer_.end() ? none : ids->second;
}

mls::Policy Conversations::policy(const InstanceKey& peer) const {
  mls::Policy policy;
  policy.validator = [own = shared_.self.instance, peer](const mls::LeafIdentity& claimed,
                                                         const mls::LeafIdentity*) {
    return (claimed.signature_key == own || claimed.signature_key == peer) &&
           certifies_itself(claimed);
  };
  return policy;
}

void Conversations::changed(Conversation& conversation) {
  shared_.urgent = true;
  touch_lazily(conversation);
}

void Conversations::touch_lazily(Conversation& conversation) {
  shared_.defer();
  if (std::exchange(conversation.changed, true)) return;
  changed_.push_back(conversation.id);
}

Result<mls::Group*> Conversations::group(Conversation& conversation) {
  if (conversation.group) return &*conversation.group;
  const RowKey key(conversation.id.span());
  SW_TRY(const auto state, shared_.state.read(Table::groups, key));
  if (!state) return fail(Errc::state_corrupt, "a conversation without its group");
  SW_TRY(const auto ratchets, shared_.state.read(Table::ratchets, key));
  std::optional<ByteSpan> newer;
  if (ratchets) newer = ratchets->span();
  SW_TRY(mls::Group loaded, mls::Group::deserialize(state->span(), newer, shared_.key,
                                                    policy(conversation.peer_instance)));
  conversation.group.emplace(std::move(loaded));
  return &*conversation.group;
}

Header Conversations::header(const Conversation& conversation, Kind kind, std::uint32_t incarnation,
                             std::uint64_t epoch, const ChainPosition& chain, UnixMillis expires) {
  Header header;
  header.id = make_envelope_id(shared_.now, shared_.random);
  header.sender = shared_.self.instance;
  header.kind = kind;
  header.conversation = conversation.id;
  header.incarnation = incarnation;
  header.epoch = epoch;
  header.created = shared_.now;
  header.expires = std::min(expires, shared_.now + limits::kLifetimeMs);
  header.sender_seq = chain.seq_in(epoch);
  header.previous = chain.link;
  return header;
}

Result<> Conversations::seal(Conversation& conversation, Unit& unit) {
  SW_TRY(mls::Group * group, this->group(conversation));
  Header header = this->header(conversation, Kind::application, conversation.incarnation,
                               group->epoch(), conversation.sealed, unit.expires);
  if (unit.id) header.id = *unit.id;
  header.durability = unit.transient ? Durability::transient : Durability::durable;
  header.provenance = unit.provenance;
  const Bytes header_bytes = encode_header(header);
  SW_TRY(const mls::Sealed sealed,
         group->seal(unit.plaintext, header_hash(header_bytes), shared_.random));
  SealedEnvelope envelope = seal_envelope(header_bytes, sealed.message, shared_.key);
  unit.id = header.id;
  unit.conversation = conversation.id;
  unit.incarnation = header.incarnation;
  unit.epoch = header.epoch;
  unit.sender_seq = header.sender_seq;
  unit.previous = header.previous;
  unit.link = envelope.link;
  unit.digest = envelope.digest;
  unit.envelopes.clear();
  unit.envelopes.push_back(std::move(envelope.bytes));
  if (!unit.transient) conversation.sealed.advance(header, envelope.link);
  conversation.ratchets_changed = true;
  changed(conversation);
  return {};
}

Result<Conversation*> Conversations::open(const AgentId& peer, const InstanceKey& instance,
                                          ByteSpan key_package, Conversation* existing,
                                          ControlBundle& bundle) {
  SW_TRY(const mls::VerifiedKeyPackage verified,
         mls::verify_key_package(
             key_package,
             [](const mls::LeafIdentity& claimed, const mls::LeafIdentity*) {
               return certifies_itself(claimed);
             },
             shared_.now));
  if (verified.identity.signature_key != instance)
    return fail(Errc::key_package_invalid, "the broker shows another's key package");

  Conversation fresh;
  if (existing == nullptr) {
    fresh.id = shared_.random.make<ConversationId>();
    fresh.peer = peer;
    fresh.peer_instance = instance;
  }
  const Conversation& about = existing != nullptr ? *existing : fresh;
  const std::uint32_t incarnation = about.incarnation + 1;
  const std::string did = did_key(shared_.self.instance);
  SW_TRY(mls::Group group,
         mls::Group::create(group_id(about.id, incarnation), shared_.key, as_bytes(did),
                            policy(instance), shared_.random, shared_.now));
  const UnixMillis expires = shared_.now + limits::kLifetimeMs;
  Header commit = header(about, Kind::commit, incarnation, 0, {}, expires);
  commit.recipients = {shared_.self.instance, instance};
  const Bytes commit_header = encode_header(commit);
  mls::CommitSpec spec;
  spec.adds.push_back(to_bytes(key_package));
  SW_TRY(const mls::PendingCommit pending,
         group.commit(spec, header_hash(commit_header), shared_.random, shared_.now));
  if (!pending.welcome) return fail(Errc::mls_state, "a commit without its Welcome");
  SealedEnvelope commit_envelope = seal_envelope(commit_header, pending.commit, shared_.key);

  Header welcome = header(about, Kind::welcome, incarnation, 0, {}, expires);
  welcome.recipients = {instance};
  welcome.names = commit_envelope.link;
  SealedEnvelope welcome_envelope =
      seal_envelope(encode_header(welcome), *pending.welcome, shared_.key);

  ChainPosition after;
  after.advance(commit, commit_envelope.link);
  bundle.id = commit.id;
  bundle.digest = commit_envelope.digest;
  bundle.before = {};
  bundle.after = after;
  bundle.incarnation = incarnation;
  bundle.envelopes.push_back(std::move(commit_envelope.bytes));
  bundle.envelopes.push_back(std::move(welcome_envelope.bytes));

  Conversation* target = existing;
  if (target == nullptr) {
    by_peer_[peer].push_back(fresh.id);
    target = &conversations_.emplace(fresh.id, std::move(fresh)).first->second;
  }
  target->opened_by = welcome.id;
  Writer row;
  row.u32(incarnation);
  write(row, after);
  row.bytes(group.serialize().span());
  shared_.write(Table::openings, RowKey(target->id.span()), std::move(row).take());
  target->opening.emplace(Opening{incarnation, std::move(group), after});
  changed(*target);
  return target;
}

bool Conversations::update_due(const Conversation& conversation) const {
  // Well before the limit, so that what is in flight fits too.
  constexpr std::uint64_t kMessages = limits::kGenerationsPerUpdate - 1024;
  const std::uint64_t sent =
      conversation.sealed.epoch == conversation.epoch ? conversation.sealed.next_seq : 0;
  return sent >= kMessages ||
         (conversation.group && conversation.group->own_generation() >= kMessages) ||
         shared_.now >= conversation.last_update + limits::kLeafUpdateMs;
}

Result<ControlBundle> Conversations::update(Conversation& conversation) {
  SW_TRY(mls::Group * group, this->group(conversation));
  Header commit = header(conversation, Kind::commit, conversation.incarnation, group->epoch(),
                         conversation.sealed, shared_.now + limits::kLifetimeMs);
  commit.recipients = {shared_.self.instance, conversation.peer_instance};
  const Bytes header_bytes = encode_header(commit);
  SW_TRY(const mls::PendingCommit pending,
         group->commit({}, header_hash(header_bytes), shared_.random, shared_.now));
  SealedEnvelope envelope = seal_envelope(header_bytes, pending.commit, shared_.key);
  ControlBundle bundle;
  bundle.id = commit.id;
  bundle.digest = envelope.digest;
  bundle.before = {commit.epoch, commit.sender_seq, commit.previous};
  bundle.incarnation = conversation.incarnation;
  conversation.sealed.advance(commit, envelope.link);
  bundle.after = conversation.sealed;
  bundle.envelopes.push_back(std::move(envelope.bytes));
  conversation.group_changed = true;
  changed(conversation);
  return bundle;
}

Result<> Conversations::opening_accepted(Conversation& conversation) {
  if (!conversation.opening) return {};
  Opening opening = std::move(*conversation.opening);
  conversation.opening.reset();
  shared_.erase(Table::openings, RowKey(conversation.id.span()));
  // The peer has opened a later one meanwhile.
  if (opening.incarnation <= conversation.incarnation) return {};
  SW_CHECK(opening.group.apply_pending());
  conversation.incarnation = opening.incarnation;
  conversation.epoch = opening.group.epoch();
  conversation.group.emplace(std::move(opening.group));
  conversation.sealed = conversation.accepted = opening.chain;
  conversation.received = {};
  conversation.last_update = shared_.now;
  conversation.reopen = false;
  conversation.checked = true;
  conversation.group_changed = true;
  changed(conversation);
  return {};
}

void Conversations::opening_refused(Conversation& conversation) {
  if (!conversation.established()) return forget(conversation);
  conversation.opening.reset();
  shared_.erase(Table::openings, RowKey(conversation.id.span()));
  changed(conversation);
}

Result<> Conversations::update_accepted(Conversation& conversation) {
  SW_TRY(mls::Group * group, this->group(conversation));
  if (group->has_pending()) SW_CHECK(group->apply_pending());
  conversation.epoch = group->epoch();
  conversation.last_update = shared_.now;
  conversation.group_changed = true;
  changed(conversation);
  return {};
}

Result<> Conversations::update_refused(Conversation& conversation) {
  SW_TRY(mls::Group * group, this->group(conversation));
  group->discard_pending();
  conversation.group_changed = true;
  changed(conversation);
  return {};
}

bool Conversations::is_ahead(Conversation& conversation, const Header& header) {
  if (conversation.opening) return header.incarnation == conversation.opening->incarnation;
  if (header.incarnation != conversation.incarnation || header.epoch != conversation.epoch + 1)
    return false;
  const auto group = this->group(conversation);  // perhaps not used since this process started
  return group && (*group)->has_pending();
}

Result<> Conversations::catch_up(Conversation& conversation) {
  return conversation.opening ? opening_accepted(conversation) : update_accepted(conversation);
}

Result<Bytes> Conversations::open_application(Conversation& conversation,
                                              const Envelope& envelope) {
  SW_TRY(mls::Group * group, this->group(conversation));
  SW_TRY(const mls::MessageInfo info, mls::peek(envelope.body()));
  // Before the ratchet moves: what the message says of itself is what its envelope says.
  if (info.epoch != envelope.header().epoch || !info.encrypted ||
      info.authenticated_data != to_bytes(header_hash(envelope.header_bytes()).span()))
    return fail(Errc::authenticated_data_mismatch);
  SW_TRY(mls::Opened opened, group->open(envelope.body()));
  // The ratchet has moved, and must be stored so, even if what came out is not acceptable.
  conversation.ratchets_changed = true;
  changed(conversation);
  if (opened.sender_key != envelope.header().sender) return fail(Errc::sender_mismatch);
  conversation.reopened = 0;
  return std::move(opened.plaintext);
}

Result<> Conversations::process_commit(Conversation& conversation, const Envelope& envelope) {
  SW_TRY(mls::Group * group, this->group(conversation));
  SW_TRY(const mls::MessageInfo info, mls::peek(envelope.body()));
  if (info.epoch != envelope.header().epoch || info.encrypted ||
      info.content != mls::MessageInfo::Content::commit ||
      info.authenticated_data != to_bytes(header_hash(envelope.header_bytes()).span()))
    return fail(Errc::authenticated_data_mismatch);
  SW_TRY(const mls::Processed processed, group->process(envelope.body()));
  if (processed.self_removed || !processed.added.empty() || !processed.removed.empty())
    return fail(Errc::mls_proposal_invalid, "a pair's members do not change");
  conversation.epoch = group->epoch();
  conversation.group_changed = true;
  changed(conversation);
  return {};
}

Result<Conversation*> Conversations::join(const AgentId& peer, const Envelope& welcome,
                                          const mls::KeyPackageBundle& bundle) {
  const Header& header = welcome.header();
  SW_TRY(mls::Group group,
         mls::Group::join(welcome.body(), bundle, shared_.key, policy(header.sender)));
  const auto members = group.members();
  const bool pair = members.size() == 2 &&
                    std::any_of(members.begin(), members.end(), [&](const mls::Member& member) {
                      return member.identity.signature_key == header.sender;
                    });
  if (to_bytes(group.group_id()) != group_id(header.conversation, header.incarnation) ||
      group.epoch() != header.epoch + 1 || !pair)
    return fail(Errc::mls_state, "the Welcome is for another group than its envelope says");

  Conversation* conversation = find(header.conversation);
  if (conversation == nullptr) {
    Conversation fresh;
    fresh.id = header.conversation;
    fresh.peer = peer;
    fresh.peer_instance = header.sender;
    by_peer_[peer].push_back(fresh.id);
    conversation = &conversations_.emplace(fresh.id, std::move(fresh)).first->second;
  }
  conversation->incarnation = header.incarnation;
  conversation->epoch = group.epoch();
  conversation->group.emplace(std::move(group));
  conversation->sealed = conversation->accepted = {};
  conversation->received = {};
  conversation->received.advance(header, header.names);
  conversation->last_update = shared_.now;
  conversation->opened_by = {};
  conversation->reopen = false;
  conversation->checked = true;
  conversation->group_changed = true;
  changed(*conversation);
  return conversation;
}

void Conversations::forget(Conversation& conversation) {
  const ConversationId id = conversation.id;
  for (const Table table : {Table::conversations, Table::groups, Table::ratchets, Table::openings})
    shared_.erase(table, RowKey(id.span()));
  std::erase(changed_, id);
  std::erase(by_peer_[conversation.peer], id);
  conversations_.erase(id);
}

void Conversations::save() {
  for (const ConversationId& id : std::exchange(changed_, {})) {
    Conversation* conversation = find(id);
    if (conversation == nullptr) continue;
    const RowKey key(id.span());
    if (conversation->group && conversation->group_changed) {
      shared_.write(Table::groups, key, conversation->group->serialize());
      shared_.erase(Table::ratchets, key);
    } else if (conversation->group && conversation->ratchets_changed) {
      shared_.write(Table::ratchets, key, conversation->group->serialize_ratchets());
    }
    shared_.write(Table::conversations, key, encode(*conversation));
    conversation->changed = conversation->group_changed = conversation->ratchets_changed = false;
  }
}

}  // namespace sealwire::sdk
