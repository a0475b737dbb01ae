#include "protocol/identity/did_key.h"

#include <array>

namespace sealwire {
namespace {

// base58btc (multibase 'z'): libsodium has no base58, and the inputs are 32 and 34 bytes.
constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::size_t kTextMax = 64;

std::string base58(ByteSpan bytes) {
  std::vector<std::uint8_t> digits;  // little-endian, base 58
  for (std::uint8_t byte : bytes) {
    unsigned carry = byte;
    for (std::uint8_t& digit : digits) {
      carry += digit * 256u;
      digit = static_cast<std::uint8_t>(carry % 58);
      carry /= 58;
    }
    for (; carry != 0; carry /= 58)
      digits.push_back(static_cast<std::uint8_t>(carry % 58));
  }
  std::string text;
  for (std::size_t i = 0; i < bytes.size() && bytes[i] == 0; ++i)
    text.push_back('1');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit)
    text.push_back(kAlphabet[*digit]);
  return text;
}

std::optional<Bytes> parse_base58(std::string_view text) {
  if (text.size() > kTextMax) return std::nullopt;
  Bytes bytes;  // little-endian, base 256
  for (char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    unsigned carry = static_cast<unsigned>(value);
    for (std::uint8_t& byte : bytes) {
      carry += byte * 58u;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    for (; carry != 0; carry >>= 8)
      bytes.push_back(static_cast<std::uint8_t>(carry));
  }
  for (std::size_t i = 0; i < text.size() && text[i] == '1'; ++i)
    bytes.push_back(0);
  std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

constexpr std::string_view kDidPrefix = "did:key:z";
constexpr std::string_view kAgentPrefix = "agent:z";
constexpr std::array<std::uint8_t, 2> kEd25519Multicodec = {0xed, 0x01};

// The bytes behind `prefix`, if re-encoding them gives the same text.
std::optional<Bytes> parse_prefixed(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  auto bytes = parse_base58(text);
  if (!bytes || base58(*bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace

std::string did_key(const InstanceKey& key) {
  Bytes prefixed(kEd25519Multicodec.begin(), kEd25519Multicodec.end());
  prefixed.insert(prefixed.end(), key.bytes.begin(), key.bytes.end());
  return std::string(kDidPrefix) + base58(prefixed);
}

Result<InstanceKey> parse_did_key(std::string_view text) {
  const auto bytes = parse_prefixed(text, kDidPrefix);
  if (!bytes || bytes->size() != 34 ||
      !std::equal(kEd25519Multicodec.begin(), kEd25519Multicodec.end(), bytes->begin()))
    return fail(Errc::did_malformed, "want did:key:z6Mk… (Ed25519)");
  return *InstanceKey::from(ByteSpan(*bytes).subspan(2));
}

std::string agent_text(const AgentId& id) {
  return std::string(kAgentPrefix) + base58(id);
}

Result<AgentId> parse_agent_id(std::string_view text) {
  const auto bytes = parse_prefixed(text, kAgentPrefix);
  const auto id = bytes ? AgentId::from(*bytes) : std::nullopt;
  if (!id) return fail(Errc::agent_id_malformed, "want agent:z…");
  return *id;
}

std::string hex(ByteSpan bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

std::optional<Bytes> parse_hex(std::string_view text) {
  if (text.empty()) return Bytes{};  // libsodium takes no null pointer
  Bytes bytes(text.size() / 2);
  std::size_t size = 0;
  if (text.size() % 2 != 0 ||
      sodium_hex2bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size,
                     nullptr) != 0 ||
      size != bytes.size() || hex(bytes) != text)
    return std::nullopt;
  return bytes;
}

std::string base64url(ByteSpan bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
  text.resize(text.size() - 1);
  return text;
}

std::optional<Bytes> parse_base64url(std::string_view text) {
  Bytes bytes(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size, &end,
                        sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
      end != text.data() + text.size())
    return std::nullopt;
  bytes.resize(size);
  // It may be a seed: the text that it is compared with goes too.
  std::string again = base64url(bytes);
  const bool canonical = again == text;
  sodium_memzero(again.data(), again.size());
  if (!canonical) return std::nullopt;
  return bytes;
}

}  // namespace sealwire
