// CURVE key pairs (Curve25519), in binary.
#pragma once

#include <array>
#include <string>

#include "adapters/channels/channel.h"
#include "protocol/secret.h"

namespace sealwire::channel::zeromq {

using CurveKey = std::array<std::uint8_t, 32>;

struct CurveKeys {
  CurveKey public_key{};
  Secret<32> secret_key;

  static CurveKeys generate();
  static CurveKeys from_secret(Secret<32> secret);
};

std::string to_hex(ByteSpan bytes);
/// Fails with `address_invalid` unless `hex` is 64 hexadecimal digits.
Result<CurveKey> curve_key_from_hex(std::string_view hex);
/// The listener's secret from its options, or nothing where it has none. Fails with
/// `config_invalid`.
Result<std::optional<CurveKeys>> curve_keys_of(const Endpoint& endpoint);

/// The binding of a connection: server key ‖ client key.
Binding curve_binding(ByteSpan server_key, ByteSpan client_key);

}  // namespace sealwire::channel::zeromq
