#include "adapters/channels/zeromq/curve.h"

#include "adapters/channels/uri.h"
#include "adapters/files/private_file.h"

namespace sealwire::channel::zeromq {
namespace {

Result<Secret<32>> secret_from_hex(std::string_view hex) {
  while (!hex.empty() && (hex.back() == '\n' || hex.back() == '\r'))
    hex.remove_suffix(1);
  Secret<32> secret;
  std::size_t size = 0;
  if (hex.size() != 64 ||
      sodium_hex2bin(secret.data(), 32, hex.data(), hex.size(), nullptr, &size, nullptr) != 0 ||
      size != 32) {
    return fail(Errc::config_invalid, "a CURVE secret is 64 hexadecimal digits");
  }
  return secret;
}

}  // namespace

CurveKeys CurveKeys::generate() {
  Secret<32> secret;
  randombytes_buf(secret.data(), 32);
  return from_secret(std::move(secret));
}

CurveKeys CurveKeys::from_secret(Secret<32> secret) {
  CurveKeys keys;
  keys.secret_key = std::move(secret);
  crypto_scalarmult_base(keys.public_key.data(), keys.secret_key.data());
  return keys;
}

std::string to_hex(ByteSpan bytes) {
  std::string hex(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), bytes.data(), bytes.size());
  hex.pop_back();
  return hex;
}

Result<CurveKey> curve_key_from_hex(std::string_view hex) {
  CurveKey key{};
  std::size_t size = 0;
  if (hex.size() != 64 ||
      sodium_hex2bin(key.data(), key.size(), hex.data(), hex.size(), nullptr, &size, nullptr) !=
          0 ||
      size != key.size()) {
    return fail(Errc::address_invalid, "curve= is 64 hexadecimal digits");
  }
  return key;
}

Result<std::optional<CurveKeys>> curve_keys_of(const Endpoint& endpoint) {
  const auto hex = endpoint.options.find("curve_secret");
  const auto path = option(endpoint, "curve_secret_file");
  if (hex != endpoint.options.end()) {
    if (!path.empty())
      return fail(Errc::config_invalid, "curve_secret and curve_secret_file exclude each other");
    SW_TRY(auto secret, secret_from_hex(hex->second));
    return CurveKeys::from_secret(std::move(secret));
  }
  if (path.empty()) return std::optional<CurveKeys>();
  const auto text = files::read_private_file(path);
  if (!text) return fail(Errc::config_invalid, "curve_secret_file: " + text.error().detail);
  SW_TRY(auto secret, secret_from_hex(as_text(text->span())));
  return CurveKeys::from_secret(std::move(secret));
}

Binding curve_binding(ByteSpan server_key, ByteSpan client_key) {
  Binding binding{BindingType::curve, to_bytes(server_key)};
  binding.value.insert(binding.value.end(), client_key.begin(), client_key.end());
  return binding;
}

}  // namespace sealwire::channel::zeromq
