// A session from Ready on, seen by a client that checks everything that the broker owes it.
#pragma once

#include <deque>
#include <map>

#include "conformance/peer/envelope.h"
#include "conformance/peer/handshake.h"

namespace conformance {

/// The target ended the session; `code` is that of its Close, if it sent one.
struct SessionClosed : std::runtime_error {
  explicit SessionClosed(std::optional<Code> why);
  std::optional<Code> code;
};

struct Receipt {
  Bytes id, digest;
  std::uint64_t sequence = 0;
  bool operator==(const Receipt&) const = default;
};

struct Rejection {
  Code code = Code::ok;
  std::uint64_t incarnation = 0, epoch = 0;
  Remains last;
  bool operator==(const Rejection&) const = default;
};

/// The answer to one bundle.
struct Answer {
  std::optional<Rejection> rejection;
  std::vector<Receipt> receipts;  // of each envelope, where it was accepted
};

struct SignedView {
  Bytes statement, signature;
};

struct Entry {
  std::uint64_t sequence = 0, conversation_sequence = 0;
  wire::Item type = wire::Item::NONE;
  Bytes envelope;        // Delivery
  Remains remains;       // Tombstone
  SignedView statement;  // Refused: the refusal; Redeemed: the redemption
  SignedView inception;  // Redeemed
  std::size_t cost = 0;  // in bytes of credit (DLV-031)
};

class Session {
 public:
  /// Waits for Ready.
  explicit Session(Handshake done);

  void send(const Table& body) { send_frame(frame(body)); }
  void send_frame(const Bytes& bytes);
  void send_message(const Bytes& bytes) { connection().send(bytes); }  // unsealed whatever it is
  Bytes seal(const Bytes& frame);  // the next sealed message, not sent
  Bytes receive_sealed();          // the next message as it came
  /// Takes one frame and puts it where it belongs; throws SessionClosed.
  void pump(int wait_ms = patience_ms);

  std::vector<Answer> send_bundles(const std::vector<std::vector<Envelope>>& bundles);
  Answer send(const std::vector<Envelope>& bundle) { return send_bundles({bundle}).at(0); }
  /// The raw envelope's answer, by its id or by the zero id.
  Answer send_raw(const Bytes& envelope, const Bytes& id);

  struct Replied {
    Code code = Code::ok;
    std::shared_ptr<Frame> frame;
    template <class Response>
    const Response* as() const {
      return frame->as<wire::Reply>()->response_as<Response>();
    }
  };
  Replied call(Table request);

  void grant(std::uint64_t entries, std::uint64_t bytes = std::uint64_t{1} << 40);
  Entry take();  // for which credit must be there
  /// True once an answered Ping has shown that no entry is on its way.
  bool nothing_comes();
  void ack(std::uint64_t sequence) { send(Table{"Ack", {{"sequence", sequence}}}); }
  void nack(const Agent& signer, std::uint64_t sequence, View id, View digest, Code code,
            View issuer);
  /// Waits for the end, and says with which code it came.
  std::optional<Code> closing_code();
  void close();
  void drop() { connection().drop(); }
  Connection& connection() { return *handshake.connection; }

  Handshake handshake;
  Bytes session_id, incarnation;
  std::uint64_t now_at_ready = 0, mailbox_acked = 0, mailbox_last = 0, key_packages = 0;
  std::deque<Entry> entries;
  std::vector<SignedView> acceptances;
  std::vector<std::uint64_t> pongs;
  bool answers_pings = true;

 private:
  Frame open(const Bytes& message);
  void on_accepted(const wire::Accepted& accepted);
  void on_deliver(const wire::Deliver& deliver);
  Answer await_answer(const std::vector<Envelope>& bundle);

  Keys keys_;
  std::uint64_t sent_ = 0, received_ = 0;
  std::uint32_t calls_ = 0;
  std::uint64_t credit_entries_ = 0, credit_bytes_ = 0, used_entries_ = 0, used_bytes_ = 0;
  std::map<Bytes, Receipt> receipts_;
  std::map<Bytes, Rejection> rejections_;
  std::map<std::uint32_t, std::shared_ptr<Frame>> replies_;
};

}  // namespace conformance
