// Calls to the broker: each is answered once, or fails with the session.
#pragma once

#include <unordered_map>

#include "protocol/frame/frame.h"
#include "sdk/cpp/core/session.h"

namespace sealwire::sdk {

class Calls {
 public:
  /// The reply is valid inside the callback only. Fails with the error that the code stands for,
  /// `closed` (the session ended) or `timeout`.
  using OnReply = std::function<void(Result<const wire::Reply*>)>;

  Calls(Shared& shared, Session& session) : shared_(shared), session_(session) {}

  /// The request's table is built in `builder` beforehand. Only while the session is ready.
  template <class Table>
  void make(flatbuffers::FlatBufferBuilder& builder, flatbuffers::Offset<Table> request,
            OnReply&& on_reply) {
    send(builder, wire::RequestTraits<Table>::enum_value, request.Union(), std::move(on_reply));
  }
  void on_reply(const wire::Reply& reply);
  void on_session_end();
  void on_timer();
  UnixMillis next_timer() const;
  void on_clock_set_back(std::uint64_t ms);

 private:
  struct Pending {
    OnReply on_reply;
    UnixMillis deadline;
  };
  void send(flatbuffers::FlatBufferBuilder& builder, wire::Request type,
            flatbuffers::Offset<void> request, OnReply on_reply);
  void fail_all(const Error& error);

  Shared& shared_;
  Session& session_;
  std::uint32_t last_id_ = 0;
  std::unordered_map<std::uint32_t, Pending> pending_;
};

/// The local name of what the broker said coarsely.
Errc errc_of(wire::Code code);

/// The table of a reply that carries one; fails with frame_unexpected when the broker answered with
/// something else.
template <class Table>
Result<const Table*> response(const Result<const wire::Reply*>& reply) {
  if (!reply) return fail(reply.error());
  const auto* table = (*reply)->template response_as<Table>();
  if (table == nullptr)
    return fail(Errc::frame_unexpected, "the broker's reply is of another kind");
  return table;
}

}  // namespace sealwire::sdk
