// How many TCP connections a socket has. libzmq tells it by the events of a monitor alone.
#pragma once

#include <zmq.hpp>

namespace sealwire::channel::zeromq {

/// Used by the thread that owns the sockets.
class Presence {
 public:
  /// Before `watched` is bound. May throw zmq::error_t.
  Presence(zmq::context_t& context, zmq::socket_t& watched);

  zmq::socket_t& socket() { return events_; }
  /// Reads the events that wait.
  void serve();
  std::size_t count() const { return count_; }

 private:
  zmq::socket_t events_;
  std::size_t count_ = 0;
};

}  // namespace sealwire::channel::zeromq
