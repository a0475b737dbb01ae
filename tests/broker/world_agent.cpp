#include "tests/broker/world_agent.h"

namespace sealwire::test {

WorldAgent::WorldAgent(Random& random, UnixMillis now)
    : random_(random), key_(crypto::SigningKey::generate(random)) {
  identity_ = verify_inception(make_inception(key_, now)).value();
}

Header WorldAgent::header(Kind kind, UnixMillis now) const {
  Header header;
  header.id = make_envelope_id(now, random_);
  header.sender = instance();
  header.kind = kind;
  header.created = now;
  header.expires = now + kHourMs;
  return header;
}

MadeEnvelope WorldAgent::make(const Header& header, std::string_view body) const {
  SealedEnvelope sealed = seal_envelope(encode_header(header), as_bytes(body), key_);
  return {header, std::move(sealed.bytes), sealed.link, sealed.digest};
}

Header WorldAgent::positioned(Kind kind, const ConversationId& conversation, UnixMillis now) {
  const ChainView& at = chain(conversation);
  Header positioned = header(kind, now);
  positioned.conversation = conversation;
  positioned.incarnation = at.incarnation;
  positioned.epoch = at.epoch;
  positioned.sender_seq = at.sender_seq;
  positioned.previous = at.previous;
  return positioned;
}

std::vector<MadeEnvelope> WorldAgent::opening(const ConversationId& conversation,
                                              const WorldAgent& peer, UnixMillis now,
                                              std::uint32_t incarnation) {
  chain(conversation) = {incarnation, 0, 0, {}};
  Header commit_header = positioned(Kind::commit, conversation, now);
  commit_header.recipients = {instance(), peer.instance()};
  MadeEnvelope commit = make(commit_header, "commit");
  Header welcome_header = positioned(Kind::welcome, conversation, now);
  welcome_header.recipients = {peer.instance()};
  welcome_header.names = commit.link;
  MadeEnvelope welcome = make(welcome_header, "welcome");
  committed(commit);
  std::vector<MadeEnvelope> bundle;
  bundle.push_back(std::move(commit));
  bundle.push_back(std::move(welcome));
  return bundle;
}

void WorldAgent::join(const ConversationId& conversation, std::uint32_t incarnation) {
  chain(conversation) = {incarnation, 1, 0, {}};
}

MadeEnvelope WorldAgent::application(const ConversationId& conversation, UnixMillis now,
                                     std::string_view body) {
  MadeEnvelope made = make(positioned(Kind::application, conversation, now), body);
  ChainView& at = chain(conversation);
  ++at.sender_seq;
  at.previous = made.link;
  return made;
}

MadeEnvelope WorldAgent::transient(const ConversationId& conversation, UnixMillis now) {
  Header passing = positioned(Kind::application, conversation, now);
  passing.durability = Durability::transient;
  return make(passing);
}

MadeEnvelope WorldAgent::update(const ConversationId& conversation, const WorldAgent& peer,
                                UnixMillis now) {
  Header commit = positioned(Kind::commit, conversation, now);
  commit.recipients = {instance(), peer.instance()};
  return make(commit, "update");
}

void WorldAgent::committed(const MadeEnvelope& commit) {
  ChainView& at = chain(commit.header.conversation);
  at.epoch = commit.header.epoch + 1;
  at.sender_seq = 0;
  at.previous = commit.link;
}

void WorldAgent::next_epoch(const ConversationId& conversation) {
  ChainView& at = chain(conversation);
  ++at.epoch;
  at.sender_seq = 0;
}

MadeEnvelope WorldAgent::letter(const WorldAgent& peer, UnixMillis now) const {
  Header letter = header(Kind::letter, now);
  letter.recipients = {peer.instance()};
  return make(letter, "letter");
}

}  // namespace sealwire::test
