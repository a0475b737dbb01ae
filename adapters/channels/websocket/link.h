// One WebSocket connection: a queue that any thread fills and the connection's loop empties, one
// wake-up and one write for all that waited. C++17, part of the engine.
#pragma once

#include <mutex>
#include <optional>

#include "adapters/channels/census.h"
#include "adapters/channels/websocket/engine.h"
#include "adapters/channels/websocket/library.h"
#include "adapters/channels/websocket/outgoing.h"

namespace sealwire::channel::websocket {

template <class Config>
class LibraryLink final : public Link, public std::enable_shared_from_this<LibraryLink<Config>> {
 public:
  using Connection = websocketpp::connection<Config>;
  using ConnectionPtr = std::shared_ptr<Connection>;
  using Message = typename Config::message_type;
  using MessagePtr = std::shared_ptr<Message>;

  LibraryLink(const Settings& settings, Events& events, const std::shared_ptr<Loop>& loop,
              const ConnectionPtr& connection, bool masked, Place place)
      : events_(events),
        frame_bytes_after_proof_(settings.frame_bytes),
        buffered_bytes_max_(settings.buffered_bytes),
        masked_(masked),
        loop_(loop),
        connection_(connection),
        frame_bytes_max_(settings.frame_bytes_before_proof),
        place_(std::move(place)) {
    connection->set_max_message_size(settings.frame_bytes_before_proof);
    connection->set_close_handshake_timeout(kCloseMs);
  }

  // --- any thread ---------------------------------------------------------------------------

  Taken send(std::vector<std::uint8_t> frame) override {
    const std::lock_guard lock(mutex_);
    if (closing_) return Taken::closed;
    if (frame.size() > frame_bytes_max_) {
      request_close(Ending::frame_too_large, "sent over the limit");
      return Taken::closed;
    }
    const auto cost = cost_of(frame.size());
    if (unsent_bytes_ > 0 && unsent_bytes_ + cost > buffered_bytes_max_) {
      writable_wanted_ = true;
      return Taken::full;
    }
    unsent_bytes_ += cost;
    queue_.push_back(std::move(frame));
    wake();
    return Taken::taken;
  }

  void promote() override {
    const std::lock_guard lock(mutex_);
    if (closing_ || promoted_) return;
    promoted_ = true;
    frame_bytes_max_ = frame_bytes_after_proof_;
    place_.prove();
    const auto loop = loop_.lock();
    if (loop && loop->io.get_executor().running_in_this_thread()) {
      // At once: the next frame may stand in the same buffer as the one being handled.
      if (const auto connection = connection_.lock())
        connection->set_max_message_size(frame_bytes_max_);
    } else {
      promote_wanted_ = true;
      wake();
    }
  }

  void close(std::string reason) override {
    const std::lock_guard lock(mutex_);
    if (!closing_) request_close(Ending::orderly, std::move(reason));
  }

  // --- the loop's thread ----------------------------------------------------------------------

  bool is_open() const { return open_; }
  bool has_ended() const { return ended_; }

  void opened() {
    open_ = true;
    events_.on_open(this->shared_from_this());
  }

  void received(const ConnectionPtr& connection, const MessagePtr& message) {
    if (message->get_opcode() != websocketpp::frame::opcode::binary) {
      {
        const std::lock_guard lock(mutex_);
        closing_ = true;
        ending_ = Ending::protocol;
      }
      websocketpp::lib::error_code ec;
      connection->close(websocketpp::close::status::unsupported_data, "binary messages only", ec);
      return;
    }
    const auto& payload = message->get_payload();
    events_.on_bytes(*this, reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
  }

  /// Answers a ping, one at a time: a peer that pings and does not read would otherwise fill the
  /// library's queue, which counts payload bytes only. Of those that come meanwhile the newest is
  /// answered, as RFC 6455 section 5.5.3 allows.
  void ping(const ConnectionPtr& connection, const std::string& payload) {
    if (pong_unsent_) {
      ping_waiting_ = payload;
      return;
    }
    pong_unsent_ = true;
    std::string frame;
    append_frame(frame, websocketpp::frame::opcode::pong, payload.data(), payload.size(), masked_);
    write(connection, std::move(frame), [self = this->shared_from_this()] {
      self->pong_unsent_ = false;
      const auto waiting = std::exchange(self->ping_waiting_, std::nullopt);
      const auto still = self->connection_.lock();
      if (waiting && still) self->ping(still, *waiting);
    });
  }

  /// The close has been seen; what it was is the library's to say. Once, and the last call.
  void ended(const ConnectionPtr& connection) {
    const auto remote = connection->get_remote_close_code();
    const auto local = connection->get_local_close_code();
    namespace status = websocketpp::close::status;
    const bool told = remote != status::abnormal_close;
    auto ending = Ending::orderly;
    {
      const std::lock_guard lock(mutex_);
      if (ending_ != Ending::orderly) {
        ending = ending_;
      } else if (local == status::message_too_big || remote == status::message_too_big) {
        ending = Ending::frame_too_large;
      } else if (local == status::protocol_error || local == status::invalid_payload) {
        ending = Ending::protocol;
      } else if (!told && local == status::abnormal_close) {
        ending = closing_ ? Ending::timeout : Ending::lost;
      }
    }
    auto detail =
        told ? connection->get_remote_close_reason() : connection->get_local_close_reason();
    end(ending, detail);
  }

  void end(Ending ending, const std::string& detail) {
    {
      const std::lock_guard lock(mutex_);
      if (ended_) return;
      ended_ = closing_ = true;
      place_.release();
      queue_.clear();
    }
    if (open_) events_.on_close(this, ending, detail);
  }

  /// Drops the connection without a word, before it opened.
  void abort() {
    const auto connection = connection_.lock();
    if (!connection) return;
    // The socket first: TLS' goodbye on a half-made session would wait for the handshake's timer.
    boost::system::error_code ignored;
    connection->get_raw_socket().close(ignored);
    connection->terminate(
        websocketpp::error::make_error_code(websocketpp::error::open_handshake_timeout));
  }

 private:
  static constexpr std::size_t kBatchBytes = 64 * 1024;
  // Of a queued frame, whatever its size, so that empty frames are bounded too.
  static std::size_t cost_of(std::size_t frame_bytes) { return frame_bytes + 64; }

  void request_close(Ending ending, std::string reason) {  // under mutex_
    closing_ = true;
    close_wanted_ = true;
    ending_ = ending;
    close_reason_ = std::move(reason);
    wake();
  }

  void wake() {  // under mutex_
    if (woken_) return;
    const auto loop = loop_.lock();
    if (!loop) return;
    woken_ = true;
    boost::asio::post(loop->io, [weak = this->weak_from_this()] {
      if (const auto self = weak.lock()) self->flush();
    });
  }

  void flush() {
    std::vector<std::vector<std::uint8_t>> queue;
    bool promote = false, close = false;
    {
      const std::lock_guard lock(mutex_);
      woken_ = false;
      queue.swap(queue_);
      promote = std::exchange(promote_wanted_, false);
      close = std::exchange(close_wanted_, false);
    }
    const auto connection = connection_.lock();
    if (!connection || ended_) return;
    if (promote) connection->set_max_message_size(frame_bytes_after_proof_);
    write_frames(connection, queue);
    if (!close) return;
    namespace status = websocketpp::close::status;
    const auto code = ending_ == Ending::orderly ? status::normal : status::internal_endpoint_error;
    websocketpp::lib::error_code ec;
    connection->close(code, close_reason_, ec);  // an error: the peer's close is under way
  }

  void write_frames(const ConnectionPtr& connection,
                    const std::vector<std::vector<std::uint8_t>>& queue) {
    std::string batch;
    std::size_t cost = 0;
    const auto hand_over = [&] {
      write(connection, std::move(batch),
            [self = this->shared_from_this(), cost] { self->written(cost); });
      batch.clear();
      cost = 0;
    };
    for (const auto& frame : queue) {
      if (!batch.empty() && batch.size() + frame.size() > kBatchBytes) hand_over();
      append_frame(batch, websocketpp::frame::opcode::binary, frame.data(), frame.size(), masked_);
      cost += cost_of(frame.size());
    }
    if (!batch.empty()) hand_over();
  }

  /// Hands finished WebSocket frames to the library. `done` runs when they have been written, or
  /// will not be: get_buffered_amount() leaves out what is being written, which may be all of it.
  template <class Done>
  void write(const ConnectionPtr& connection, std::string&& bytes, Done done) {
    MessagePtr message(new Message(typename Message::con_msg_man_ptr()), [done](Message* it) {
      delete it;
      done();
    });
    message->set_opcode(websocketpp::frame::opcode::binary);
    message->get_raw_payload() = std::move(bytes);
    message->set_prepared(true);
    connection->send(message);
  }

  void written(std::size_t cost) {
    {
      const std::lock_guard lock(mutex_);
      unsent_bytes_ -= cost;
      if (!writable_wanted_ || closing_ || unsent_bytes_ > buffered_bytes_max_ / 2) return;
      writable_wanted_ = false;
    }
    events_.on_writable(*this);
  }

  Events& events_;
  const std::size_t frame_bytes_after_proof_;
  const std::size_t buffered_bytes_max_;
  const bool masked_;
  const std::weak_ptr<Loop> loop_;
  const std::weak_ptr<Connection> connection_;

  // The loop's thread only.
  bool open_ = false;
  bool ended_ = false;
  bool pong_unsent_ = false;
  std::optional<std::string> ping_waiting_;

  std::mutex mutex_;  // guards what follows
  std::vector<std::vector<std::uint8_t>> queue_;
  std::size_t frame_bytes_max_;   // of a frame to send
  std::size_t unsent_bytes_ = 0;  // taken and not yet written to the socket
  std::string close_reason_;
  Place place_;
  Ending ending_ = Ending::orderly;
  bool closing_ = false;  // nothing further is taken
  bool close_wanted_ = false;
  bool promoted_ = false;
  bool promote_wanted_ = false;
  bool writable_wanted_ = false;
  bool woken_ = false;
};

}  // namespace sealwire::channel::websocket
