// A group in its current epoch: what it is, and the messages in it.
#include "protocol/mls/group.h"

#include "protocol/mls/group_state.h"

namespace sealwire::mls {

Group::Group(std::unique_ptr<GroupState> state) : state_(std::move(state)) {}
Group::Group(Group&&) noexcept = default;
Group& Group::operator=(Group&&) noexcept = default;
Group::~Group() = default;

Result<MessageInfo> peek(ByteSpan message) {
  SW_TRY(auto decoded, decode<MlsMessage>(message, "MLSMessage"));
  MessageInfo info;
  if (auto* sealed = std::get_if<PrivateMessage>(&decoded.body)) {
    info = {std::move(sealed->group_id),
            sealed->epoch,
            static_cast<MessageInfo::Content>(sealed->content_type),
            true,
            std::nullopt,
            std::move(sealed->authenticated_data)};
  } else if (auto* open = std::get_if<PublicMessage>(&decoded.body)) {
    FramedContent& content = open->content;
    info = {std::move(content.group_id),
            content.epoch,
            static_cast<MessageInfo::Content>(content.type()),
            false,
            std::nullopt,
            std::move(content.authenticated_data)};
    if (content.sender.type == SenderType::member) info.sender = LeafIndex{content.sender.index};
  } else {
    return fail(Errc::mls_malformed, "not a message for a group");
  }
  return info;
}

Result<std::vector<Bytes>> welcome_recipients(ByteSpan welcome) {
  SW_TRY(auto decoded, decode<MlsMessage>(welcome, "MLSMessage"));
  const auto* body = std::get_if<Welcome>(&decoded.body);
  if (!body) return fail(Errc::mls_malformed, "not a Welcome");
  std::vector<Bytes> refs;
  for (const auto& entry : body->secrets)
    refs.push_back(entry.new_member);
  return refs;
}

ByteSpan Group::group_id() const {
  return state_->current.context.group_id;
}
std::uint64_t Group::epoch() const {
  return state_->current.context.epoch;
}
LeafIndex Group::own_leaf() const {
  return state_->self();
}
bool Group::active() const {
  return state_->active;
}
const std::vector<Extension>& Group::extensions() const {
  return state_->current.context.extensions;
}

std::vector<Member> Group::members() const {
  std::vector<Member> members;
  for (const LeafIndex leaf : state_->current.tree.members())
    members.push_back(state_->member(leaf));
  return members;
}

Secret<32> Group::epoch_authenticator() const {
  return state_->current.secrets.epoch_authenticator.clone();
}

Secret<32> Group::resumption_psk() const {
  return state_->current.secrets.resumption_psk.clone();
}

Result<SecretBytes> Group::export_secret(std::string_view label, ByteSpan context,
                                         std::size_t size) const {
  if (size > 255 * kHashBytes) return fail(Errc::mls_limit, "exported secret");
  Bytes out(size);
  mls::export_secret(state_->current.secrets.exporter, label, context, out);
  return SecretBytes(std::move(out));
}

Result<Bytes> Group::group_info() const {
  SW_CHECK(state_->check_active());
  return encode_message({make_group_info(state_->current, state_->signing_key)});
}

Result<Sealed> Group::seal(ByteSpan plaintext, ByteSpan authenticated_data, Random& random,
                           PaddingFunction pad) {
  SW_CHECK(state_->check_active());
  if (pad(plaintext.size()) + authenticated_data.size() > limits::kMlsVectorBytes - 1024)
    return fail(Errc::mls_limit, "message size");
  Epoch& epoch = state_->current;
  Ratchet& ratchet = epoch.messages.secret_tree.ratchet(state_->self(), RatchetType::application);
  SW_TRY(const auto key, ratchet.next());
  FramedContent content{epoch.context.group_id, epoch.context.epoch, Sender::member(state_->self()),
                        to_bytes(authenticated_data), to_bytes(plaintext)};
  const auto signed_content = sign_content(WireFormat::private_message, std::move(content),
                                           epoch.encoded_context(), state_->signing_key);
  MlsMessage message{protect_private(signed_content, key, epoch.messages.sender_data, pad, random)};
  return Sealed{encode(message), key.generation, epoch.context.epoch};
}

Result<Opened> Group::open(ByteSpan bytes) {
  SW_CHECK(state_->check_active());
  SW_TRY(const auto decoded, decode<MlsMessage>(bytes, "MLSMessage"));
  const auto* message = std::get_if<PrivateMessage>(&decoded.body);
  if (!message || message->content_type != ContentType::application)
    return fail(Errc::mls_malformed, "not an application message");
  if (!std::ranges::equal(message->group_id, group_id()))
    return fail(Errc::mls_state, "a message of another group");
  MessageEpoch* epoch = state_->message_epoch(message->epoch);
  if (!epoch) return fail(Errc::mls_epoch, "epoch " + std::to_string(message->epoch));
  SW_TRY(const auto sender, open_sender_data(*message, epoch->sender_data));
  const InstanceKey* sender_key = epoch->sender_key(sender.leaf);
  if (!sender_key) return fail(Errc::mls_not_a_member, "sender's leaf is blank");
  if (sender.leaf == state_->self()) return fail(Errc::mls_generation_used, "our own message");

  Ratchet& ratchet = epoch->secret_tree.ratchet(sender.leaf, RatchetType::application);
  SW_TRY(auto found, ratchet.find(sender.generation));
  SW_TRY(auto content, open_private(*message, sender, found.key));
  SW_TRY(auto verified, verify_content(std::move(content), *sender_key, epoch->group_context));
  ratchet.use(std::move(found));

  FramedContent framed = std::move(verified).take().content;
  return Opened{std::move(std::get<Bytes>(framed.body)),
                std::move(framed.authenticated_data),
                sender.leaf,
                *sender_key,
                sender.generation,
                message->epoch};
}

std::uint32_t Group::own_generation() const {
  const Ratchet* ratchet =
      state_->current.messages.secret_tree.existing(state_->self(), RatchetType::application);
  return ratchet ? ratchet->generation() : 0;
}

Result<> Group::skip_own_generations(std::uint32_t generation) {
  SW_CHECK(state_->check_active());
  return state_->current.messages.secret_tree.ratchet(state_->self(), RatchetType::application)
      .skip_to(generation);
}

void Group::forget_past_epochs(std::size_t keep) {
  auto& past = state_->past;
  if (past.size() > keep) past.erase(past.begin(), past.end() - static_cast<std::ptrdiff_t>(keep));
}

}  // namespace sealwire::mls
