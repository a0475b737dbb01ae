#include "broker/conversation.h"

#include "broker/authorize.h"

namespace sealwire::broker {
namespace {

// E2E-020 and ENV-032: a commit of epoch 0 and the welcome that belongs to it.
Result<> check_opening(const Envelope& commit, const Envelope& welcome) {
  const Header& c = commit.header();
  const Header& w = welcome.header();
  if (c.kind != Kind::commit || w.kind != Kind::welcome)
    return fail(Errc::bundle_invalid, "a bundle is one envelope, or a commit and its welcome");
  if (c.conversation != w.conversation || c.incarnation != w.incarnation || c.epoch != 0 ||
      w.epoch != 0 || c.sender_seq != w.sender_seq || c.previous != w.previous ||
      w.names != commit.link())
    return fail(Errc::bundle_invalid, "the welcome is not this commit's");
  std::vector<InstanceKey> members = w.recipients;
  members.push_back(c.sender);
  std::vector<InstanceKey> named = c.recipients;
  std::sort(members.begin(), members.end());
  std::sort(named.begin(), named.end());
  if (members != named) return fail(Errc::bundle_invalid, "members and joiners do not agree");
  return {};
}

}  // namespace

Member* Conversation::member(AgentNumber agent) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [agent](const Member& m) { return m.agent == agent; });
  return found == members.end() ? nullptr : &*found;
}

const ChainHead* Conversation::head(AgentNumber agent) const {
  const Member* of = member(agent);
  const bool current = of != nullptr && of->head && of->head->incarnation == record.incarnation;
  return current ? &*of->head : nullptr;
}

Result<Conversation*> Conversations::find(const ConversationId& id) {
  if (const auto found = cache_.find(id); found != cache_.end()) return found->second.get();
  SW_TRY(auto record, store_.read_conversation(id));
  if (!record) return nullptr;
  auto conversation = std::make_unique<Conversation>();
  for (const AgentNumber number : record->members) {
    SW_TRY(auto head, store_.read_chain_head(id, number));
    // Which entry was the conversation's last is not stored: the mailbox's last is never too early.
    const Agent* agent = directory_.at(number);
    conversation->members.push_back(
        {number, std::move(head), agent == nullptr ? 0 : agent->state.mailbox.last});
  }
  conversation->record = std::move(*record);
  return (cache_[id] = std::move(conversation)).get();
}

Result<std::vector<SequencedEnvelope>> Conversations::sequence(
    std::vector<AuthorizedEnvelope> bundle, Changes& changes) {
  if (bundle.size() == 2) return open(bundle, changes);
  if (bundle.size() != 1) return fail(Errc::bundle_invalid, "envelopes");

  const AuthorizedEnvelope& only = bundle.front();
  Result<SequencedEnvelope> sequenced = fail(Errc::bundle_invalid, "a welcome without its commit");
  switch (only.header().kind) {
    case Kind::letter: {
      SequencedEnvelope letter;
      letter.envelope_ = only.shared();
      letter.sender_ = only.sender();
      letter.readers_ = only.audience();
      sequenced = std::move(letter);
      break;
    }
    case Kind::application:
      sequenced = application(only, changes);
      break;
    case Kind::commit:
      sequenced = commit(only, changes);
      break;
    case Kind::welcome:
    case Kind::none:
      break;
  }
  if (!sequenced) return fail(std::move(sequenced).error());
  std::vector<SequencedEnvelope> all;
  all.push_back(std::move(*sequenced));
  return all;
}

// Opens a conversation, or re-opens one with the next incarnation (DLV-009).
Result<std::vector<SequencedEnvelope>> Conversations::open(
    const std::vector<AuthorizedEnvelope>& bundle, Changes& changes) {
  const AuthorizedEnvelope& commit = bundle[0];
  const AuthorizedEnvelope& welcome = bundle[1];
  SW_CHECK(check_opening(commit.envelope(), welcome.envelope()));
  std::vector<AgentNumber> members = commit.audience();
  members.push_back(commit.sender());
  std::sort(members.begin(), members.end());
  if (members.size() != 2) return fail(Errc::denied, "a conversation has two members");
  SW_CHECK(check_position(nullptr, commit.header()));

  const ConversationId& id = commit.header().conversation;
  SW_TRY(Conversation * conversation, find(id));
  const std::uint32_t current = conversation == nullptr ? 0 : conversation->record.incarnation;
  if (commit.header().incarnation != current + 1)
    return fail(conversation == nullptr ? Errc::conversation_unknown : Errc::epoch_conflict);
  if (conversation != nullptr && conversation->record.members != members)
    return fail(Errc::denied, "re-opened for other members");

  if (conversation == nullptr) {
    auto fresh = std::make_unique<Conversation>();
    fresh->record.id = id;
    fresh->record.members = members;
    for (const AgentNumber number : members)
      fresh->members.push_back({number, std::nullopt, 0});
    conversation = (cache_[id] = std::move(fresh)).get();
  }
  conversation->record.incarnation = commit.header().incarnation;
  conversation->record.epoch = 1;
  std::vector<SequencedEnvelope> sequenced;
  sequenced.push_back(take(*conversation, commit, changes));
  // Who joins by the welcome has no group yet in which the commit could be processed.
  sequenced.back().readers_.clear();
  sequenced.push_back(take(*conversation, welcome, changes));
  return sequenced;
}

// A commit within the group: compare and swap (DLV-007).
Result<SequencedEnvelope> Conversations::commit(const AuthorizedEnvelope& envelope,
                                                Changes& changes) {
  const Header& header = envelope.header();
  SW_TRY(Conversation * conversation, find(header.conversation));
  if (conversation == nullptr) return fail(Errc::conversation_unknown);
  if (header.incarnation != conversation->record.incarnation ||
      header.epoch != conversation->record.epoch)
    return fail(Errc::epoch_conflict);
  std::vector<AgentNumber> members = envelope.audience();
  members.push_back(envelope.sender());
  std::sort(members.begin(), members.end());
  if (members != conversation->record.members) return fail(Errc::denied, "change of membership");
  SW_CHECK(check_position(conversation->head(envelope.sender()), header));
  ++conversation->record.epoch;
  return take(*conversation, envelope, changes);
}

Result<SequencedEnvelope> Conversations::application(const AuthorizedEnvelope& envelope,
                                                     Changes& changes) {
  const Header& header = envelope.header();
  SW_TRY(Conversation * conversation, find(header.conversation));
  if (conversation == nullptr) return fail(Errc::conversation_unknown);
  const ConversationRecord& record = conversation->record;
  if (header.incarnation != record.incarnation || header.epoch > record.epoch ||
      record.epoch - header.epoch > limits::kEpochsBehind)
    return fail(Errc::stale_epoch);
  SW_CHECK(check_position(conversation->head(envelope.sender()), header));
  return take(*conversation, envelope, changes);
}

SequencedEnvelope Conversations::take(Conversation& conversation,
                                      const AuthorizedEnvelope& envelope, Changes& changes) {
  SequencedEnvelope sequenced;
  sequenced.envelope_ = envelope.shared();
  sequenced.sender_ = envelope.sender();
  sequenced.readers_ = envelope.audience();
  if (envelope.header().durability == Durability::transient) return sequenced;

  sequenced.sequence_ = ++conversation.record.sequence;
  conversation.changed = true;
  changes.conversations.insert(conversation.record.id);
  if (envelope.header().chained()) {
    Member& sender = *conversation.member(envelope.sender());
    sender.head = advance(envelope.envelope());
    sender.head_changed = true;
  }
  return sequenced;
}

void Conversations::write(Changes& changes) {
  for (const ConversationId& id : changes.conversations) {
    Conversation& conversation = *cache_.at(id);
    if (conversation.changed) changes.add(PutConversation{conversation.record});
    conversation.changed = false;
    for (Member& member : conversation.members) {
      if (member.head_changed) changes.add(PutChainHead{id, member.agent, *member.head});
      member.head_changed = false;
    }
  }
}

void Conversations::forget(const std::set<ConversationId>& ids) {
  for (const ConversationId& id : ids)
    cache_.erase(id);
}

void Conversations::shrink(std::size_t max) {
  if (cache_.size() > max) cache_.clear();
}

}  // namespace sealwire::broker
