#include "protocol/mls/private_message.h"

namespace sealwire::mls {
namespace {

std::span<const std::uint8_t, 32> key_span(const Secret<32>& key) {
  return std::span<const std::uint8_t, 32>(key.data(), 32);
}

// PrivateContentAAD and, without authenticated_data, SenderDataAAD.
Bytes content_aad(const PrivateMessage& message) {
  Writer writer;
  writer.put(message.group_id, message.epoch, message.content_type, message.authenticated_data);
  return writer.take();
}
Bytes sender_data_aad(const PrivateMessage& message) {
  Writer writer;
  writer.put(message.group_id, message.epoch, message.content_type);
  return writer.take();
}

// Section 6.3.1: so that a generation used twice after a lost state does not repeat the nonce.
std::array<std::uint8_t, 12> guarded(std::array<std::uint8_t, 12> nonce,
                                     const std::array<std::uint8_t, 4>& reuse_guard) {
  for (std::size_t i = 0; i < reuse_guard.size(); ++i)
    nonce[i] ^= reuse_guard[i];
  return nonce;
}

}  // namespace

SenderDataKey sender_data_key(const KdfSecret& sender_data_secret, ByteSpan ciphertext) {
  const ByteSpan sample = ciphertext.first(std::min(ciphertext.size(), kHashBytes));
  SenderDataKey result;
  expand_with_label(sender_data_secret.span(), "key", sample, result.key.mutable_span());
  expand_with_label(sender_data_secret.span(), "nonce", sample, result.nonce);
  return result;
}

// struct { select (content_type) { … }; FramedContentAuthData auth; opaque padding[…]; }
// PrivateMessageContent;
PrivateMessage protect_private(const AuthenticatedContent& content, const MessageKey& key,
                               const KdfSecret& sender_data_secret, PaddingFunction pad,
                               Random& random) {
  const FramedContent& framed = content.content;
  PrivateMessage message{framed.group_id,           framed.epoch, framed.type(),
                         framed.authenticated_data, {},           {}};
  SenderData sender{LeafIndex{framed.sender.index}, key.generation, {}};
  random.fill(sender.reuse_guard);

  Writer plaintext;
  std::visit([&](const auto& body) { plaintext.put(body); }, framed.body);
  content.auth.write(plaintext, framed.type());
  plaintext.pad_to(pad(plaintext.size()));
  message.ciphertext = crypto::aead_seal(key_span(key.key), guarded(key.nonce, sender.reuse_guard),
                                         content_aad(message), plaintext.span());

  const SenderDataKey sender_key = sender_data_key(sender_data_secret, message.ciphertext);
  message.encrypted_sender_data = crypto::aead_seal(key_span(sender_key.key), sender_key.nonce,
                                                    sender_data_aad(message), encode(sender));
  return message;
}

Result<SenderData> open_sender_data(const PrivateMessage& message,
                                    const KdfSecret& sender_data_secret) {
  const SenderDataKey key = sender_data_key(sender_data_secret, message.ciphertext);
  const auto opened = crypto::aead_open(key_span(key.key), key.nonce, sender_data_aad(message),
                                        message.encrypted_sender_data);
  if (!opened) return fail(Errc::mls_undecryptable, "sender data");
  return decode<SenderData>(*opened, "sender data");
}

Result<AuthenticatedContent> open_private(const PrivateMessage& message, const SenderData& sender,
                                          const MessageKey& key) {
  auto opened = crypto::aead_open(key_span(key.key), guarded(key.nonce, sender.reuse_guard),
                                  content_aad(message), message.ciphertext);
  if (!opened) return fail(Errc::mls_undecryptable, "content");
  const SecretBytes plaintext(std::move(*opened));

  AuthenticatedContent result;
  result.wire_format = WireFormat::private_message;
  FramedContent& framed = result.content;
  framed.group_id = message.group_id;
  framed.epoch = message.epoch;
  framed.sender = Sender::member(sender.leaf);
  framed.authenticated_data = message.authenticated_data;
  Reader reader(plaintext.span());
  bool read = false;
  switch (message.content_type) {
    case ContentType::application:
      read = reader.get(framed.body.emplace<Bytes>());
      break;
    case ContentType::proposal:
      read = reader.get(framed.body.emplace<Proposal>());
      break;
    case ContentType::commit:
      read = reader.get(framed.body.emplace<Commit>());
      break;
  }
  if (!read || !result.auth.read(reader, message.content_type))
    return fail(Errc::mls_malformed, "PrivateMessageContent");
  if (!reader.empty() && sodium_is_zero(reader.rest().data(), reader.rest().size()) != 1)
    return fail(Errc::mls_malformed, "padding is not zero");
  return result;
}

}  // namespace sealwire::mls
