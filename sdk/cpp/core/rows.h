// What the core keeps in state rows, and how each is encoded.
#pragma once

#include <deque>

#include "protocol/envelope/envelope.h"
#include "protocol/identity/inception.h"
#include "sdk/cpp/core/event.h"
#include "sdk/cpp/state/record.h"

namespace sealwire::sdk {

/// A place in a sender's chain (SPEC ENV "The chain"): what its next chained envelope has to have.
struct ChainPosition {
  std::uint64_t epoch = 0;
  std::uint64_t next_seq = 0;
  Digest link;

  std::uint64_t seq_in(std::uint64_t in_epoch) const { return in_epoch == epoch ? next_seq : 0; }
  bool follows(const Header& header) const { return at(header) && header.previous == link; }
  bool at(const Header& header) const {
    return (header.epoch == epoch && header.sender_seq == next_seq) ||
           (header.epoch > epoch && header.sender_seq == 0);
  }
  bool passed(const Header& header) const { return passed(header.epoch, header.sender_seq); }
  bool passed(std::uint64_t in_epoch, std::uint64_t seq) const {
    return in_epoch < epoch || (in_epoch == epoch && seq < next_seq);
  }
  void advance(const Header& header, const Digest& to) {
    epoch = header.epoch;
    next_seq = header.sender_seq + 1;
    link = to;
  }
  friend bool operator==(const ChainPosition&, const ChainPosition&) = default;
};

/// What becomes one envelope, or the bundle of two that opens a conversation.
struct Unit {
  enum class Kind : std::uint8_t { application = 0, letter = 1, opening = 2, update = 3 };
  std::uint64_t number = 0;  // of the row; order of sending within a conversation
  Kind kind = Kind::application;
  AgentId peer;
  Bytes plaintext;  // an encoded ContentBatch; empty for opening and update
  std::uint16_t items = 0;
  bool transient = false;  // never stored
  UnixMillis expires;
  std::string provenance;

  std::optional<EnvelopeId> id;  // once it was sealed; kept when it is sealed again
  ConversationId conversation;   // sealed for
  std::uint32_t incarnation = 0;
  std::uint64_t epoch = 0;
  std::uint64_t sender_seq = 0;
  Digest previous;  // the chain before it
  Digest link;      // and after it
  Digest digest;    // of the first envelope
  std::vector<Bytes> envelopes;

  // memory only
  std::vector<Ticket> tickets;
  UnixMillis sent;               // in this session
  bool resent = false;           // an earlier session may have got it accepted
  std::optional<Error> refused;  // the broker's answer, until the chain is mended
  UnixMillis not_before;         // tried again then

  bool sealed() const { return !envelopes.empty(); }
  bool chained() const { return kind != Kind::letter && !transient; }
  ChainPosition before() const {
    // Whoever rolls back to here seals at this very position again, or in a later epoch.
    return {epoch, sender_seq, previous};
  }
};
SecretBytes encode(const Unit& unit);
Result<Unit> decode_unit(std::uint64_t number, ByteSpan row);

SecretBytes encode(const Received& received);
Result<Received> decode_received(std::uint64_t number, ByteSpan row);

struct PeerRow {
  AgentId agent;
  std::string nickname;
  Peer::Contact contact = Peer::Contact::none;
  bool confirmed = false;  // the broker knows `contact`
  std::optional<SignedStatement> inception;
  InstanceKey instance;  // of the inception
};
SecretBytes encode(const PeerRow& row);
Result<PeerRow> decode_peer(ByteSpan row);

/// An envelope that came before its predecessor.
struct HeldRow {
  std::uint64_t number = 0;
  std::uint64_t conversation_sequence = 0;
  Bytes envelope;
};
SecretBytes encode(const HeldRow& row);
Result<HeldRow> decode_held(std::uint64_t number, ByteSpan row);

}  // namespace sealwire::sdk
