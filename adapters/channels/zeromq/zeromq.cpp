#include "adapters/channels/zeromq/zeromq.h"

#include <charconv>

#include "adapters/channels/zeromq/dialler.h"
#include "adapters/channels/zeromq/listener.h"

namespace sealwire::channel {
namespace zeromq {
namespace {

Result<Uri> checked_uri(const Endpoint& endpoint) {
  SW_TRY(auto uri, parse_uri(endpoint.uri));
  if (uri.scheme != "tcp") return fail(Errc::address_invalid, "expected tcp://");
  if (!uri.path.empty()) return fail(Errc::address_invalid, "a ZeroMQ endpoint has no path");
  for (const auto& [key, value] : uri.query) {
    if (key != "curve") return fail(Errc::address_invalid, "unknown query " + key);
  }
  return uri;
}

Result<std::uint16_t> data_port_of(const Endpoint& endpoint) {
  const auto text = option(endpoint, "data_port");
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (!text.empty() && (error != std::errc{} || end != text.data() + text.size())) {
    return fail(Errc::config_invalid, "data_port is a number below 65536");
  }
  return port;
}

class ZeroMqChannel final : public Channel {
 public:
  std::string_view name() const override { return "zeromq"; }
  std::vector<std::string_view> schemes() const override { return {"tcp"}; }
  Capabilities capabilities() const override { return {.binding = true, .native_close = false}; }

  Result<std::unique_ptr<Running>> listen(const Endpoint& endpoint,
                                          Handler& handler) const override {
    SW_TRY(auto uri, checked_uri(endpoint));
    SW_CHECK(check_options(endpoint, {"curve_secret", "curve_secret_file", "data_port"}));
    SW_TRY(auto keys, curve_keys_of(endpoint));
    SW_TRY(const auto data_port, data_port_of(endpoint));
    if (!keys) SW_CHECK(require_secure_or_loopback(uri, endpoint));
    try {
      return std::make_unique<Listener>(std::move(uri), endpoint, std::move(keys), data_port,
                                        handler);
    } catch (const zmq::error_t& error) {
      return fail(Errc::connect_failed, endpoint.uri + ": " + error.what());
    }
  }

  Result<std::unique_ptr<Running>> dial(const Endpoint& endpoint, Handler& handler) const override {
    SW_TRY(auto uri, checked_uri(endpoint));
    SW_CHECK(check_options(endpoint, {}));
    std::optional<CurveKey> server_key;
    if (const auto hex = uri.query.find("curve"); hex != uri.query.end()) {
      SW_TRY(server_key, curve_key_from_hex(hex->second));
    } else {
      SW_CHECK(require_secure_or_loopback(uri, endpoint));
    }
    try {
      return std::make_unique<Dialler>(std::move(uri), endpoint, server_key, handler);
    } catch (const zmq::error_t& error) {
      return fail(Errc::address_invalid, endpoint.uri + ": " + error.what());
    }
  }
};

}  // namespace
}  // namespace zeromq

const Channel& zeromq_channel() {
  static const zeromq::ZeroMqChannel channel;
  return channel;
}

}  // namespace sealwire::channel
