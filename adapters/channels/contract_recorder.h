// A handler that remembers what a channel told, and whether it kept to the contract in telling it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/channels/channel.h"

namespace sealwire::channel::contract {

/// Sends and notes that this thread is within `send`, where no callback may come.
Sent send(const ConnectionPtr& connection, Bytes frame);
/// The same, waiting for room as long as the connection is open.
Sent send_patiently(const ConnectionPtr& connection, const Bytes& frame);

/// Every wait_… fails the test and returns an empty value after 20 seconds.
class Recorder final : public Handler {
 public:
  using Hook = std::function<void(const ConnectionPtr&, ByteSpan)>;

  /// Called in on_bytes, before the frame is remembered. Set before anything is opened.
  void set_hook(Hook hook) { hook_ = std::move(hook); }
  /// Has on_bytes wait: a peer that does not read.
  void hold();
  void release();

  ConnectionPtr wait_open(std::size_t count = 1);  // the count-th one that opened
  std::vector<Bytes> wait_frames(const ConnectionPtr& connection, std::size_t count);
  bool wait_writable(const ConnectionPtr& connection);
  Error wait_close(const ConnectionPtr& connection);
  Error wait_failure(std::size_t count = 1);  // on_close without on_open

  std::size_t opened() const;
  std::size_t callbacks() const;
  bool has_closed(const ConnectionPtr& connection) const;
  /// What the channel did against the contract.
  std::vector<std::string> violations() const;

  void on_open(const ConnectionPtr& connection) override;
  void on_bytes(const ConnectionPtr& connection, ByteSpan frame) override;
  void on_writable(const ConnectionPtr& connection) override;
  void on_close(const ConnectionPtr& connection, const Error& error) override;

 private:
  struct Peer {
    std::vector<Bytes> frames;
    std::size_t writable = 0;
    std::vector<Error> closed;
    bool open = false;
    bool in_callback = false;
  };
  class Call;
  template <class Predicate>
  bool wait(std::string_view what, Predicate predicate);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Hook hook_;
  bool held_ = false;
  std::size_t callbacks_ = 0;
  std::vector<ConnectionPtr> opened_;
  std::map<const Connection*, Peer> peers_;
  std::vector<Error> failures_;
  std::vector<std::string> violations_;
};

}  // namespace sealwire::channel::contract
