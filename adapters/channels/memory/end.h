// One end of a connection within the process.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "adapters/channels/census.h"
#include "adapters/channels/channel.h"
#include "adapters/channels/memory/delivery_thread.h"

namespace sealwire::channel::memory {

class End final : public Connection, public std::enable_shared_from_this<End> {
 public:
  /// `place` is empty at the dialling end.
  End(Handler& handler, std::shared_ptr<DeliveryThread> thread, const Limits& limits, Place place);

  /// Joins two ends and has both call on_open.
  static void join(const std::shared_ptr<End>& a, const std::shared_ptr<End>& b);

  Sent send(Bytes frame) override;
  void promote() override;
  void close(std::string_view reason) override;
  const Binding& binding() const override;
  const std::string& peer_address() const override;

 private:
  void receive(const Bytes& frame);
  void delivered(std::size_t bytes);
  void end_both(const Error& error);
  void finish(const Error& error);
  std::size_t frame_bytes_max() const;

  Handler& handler_;
  const std::shared_ptr<DeliveryThread> thread_;
  const Limits limits_;
  std::atomic<bool> promoted_ = false;

  std::mutex mutex_;           // guards what follows
  std::shared_ptr<End> peer_;  // the cycle is broken by finish()
  Place place_;
  bool closing_ = false;
  bool finished_ = false;
  bool writable_wanted_ = false;
  std::size_t unread_bytes_ = 0;  // sent and not yet read by the peer
};

}  // namespace sealwire::channel::memory
