// One dialled connection: hands what the channel tells to the driver, in order.
#pragma once

#include <atomic>
#include <memory>

#include "adapters/channels/channel.h"
#include "protocol/limits.h"

namespace sealwire {

struct LinkEvent {
  enum class Kind : std::uint8_t { open, bytes, writable, close };
  Kind kind = Kind::open;
  std::uint64_t link = 0;  // which dial it belongs to
  channel::ConnectionPtr connection;
  Bytes bytes;
  Error error{Errc::closed, {}};
};

/// Of frames that came and were not taken: twice what an honest broker may send on our credit.
inline constexpr std::size_t kInboundBytesMax = 4 * limits::kFrameBytes;

class Link final : public channel::Handler {
 public:
  using Post = std::function<void(LinkEvent)>;  // any thread; must not block
  Link(std::uint64_t number, Post post) : number_(number), post_(std::move(post)) {}
  ~Link() override { running_.reset(); }  // no callback comes after it

  Result<> dial(const channel::Endpoint& endpoint);
  /// The driver has processed a frame of so many bytes. A broker that sends on while too much waits
  /// is cut off.
  void taken(std::size_t bytes) { waiting_bytes_ -= cost_of(bytes); }

  void on_open(const channel::ConnectionPtr& connection) override;
  void on_bytes(const channel::ConnectionPtr& connection, ByteSpan frame) override;
  void on_writable(const channel::ConnectionPtr& connection) override;
  void on_close(const channel::ConnectionPtr& connection, const Error& error) override;

 private:
  void post(LinkEvent::Kind kind, const channel::ConnectionPtr& connection);
  // A frame costs memory however small it is.
  static std::size_t cost_of(std::size_t bytes) { return bytes + 256; }
  std::uint64_t number_;
  Post post_;
  std::atomic<std::size_t> waiting_bytes_{0};
  std::unique_ptr<channel::Running> running_;
};

}  // namespace sealwire
