#include "protocol/handshake/handshake.h"

namespace sealwire::handshake {
namespace {

// The counter is the nonce: 4 zero bytes ‖ u64 big-endian (SES-021).
std::array<std::uint8_t, crypto::kAeadNonceBytes> nonce_of(std::uint64_t counter) {
  std::array<std::uint8_t, crypto::kAeadNonceBytes> nonce{};
  for (int i = 0; i < 8; ++i)
    nonce[4 + i] = static_cast<std::uint8_t>(counter >> (56 - 8 * i));
  return nonce;
}

std::span<const std::uint8_t, 32> key_span(const Secret<32>& key) {
  return std::span<const std::uint8_t, 32>(key.data(), 32);
}

}  // namespace

FrameProtection::FrameProtection(Secret<32> send_key, Secret<32> receive_key)
    : keys_(Keys{std::move(send_key), std::move(receive_key)}) {}

Bytes FrameProtection::seal(Bytes frame) {
  if (!keys_) return frame;
  return crypto::aead_seal(key_span(keys_->send), nonce_of(keys_->sent++), {}, frame);
}

Result<Bytes> FrameProtection::open(ByteSpan message) {
  if (!keys_) return to_bytes(message);
  auto frame = crypto::aead_open(key_span(keys_->receive), nonce_of(keys_->received), {}, message);
  if (!frame) return fail(Errc::frame_unsealed);
  ++keys_->received;
  return frame;
}

}  // namespace sealwire::handshake
