// What a bridge's host must not forget: which chats are paired with which agent, which codes are
// out, what came already, which questions are open. Tables in the agent's own state, so that they
// change in the transaction of the message that they are about.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/random.h"
#include "sealwire/agent.h"

namespace sealwire::bridge {

inline constexpr std::uint64_t kCodeLifetimeMs = 10 * 60'000;
inline constexpr std::uint64_t kSeenMs = 7 * 24 * 3'600'000ULL;

/// One chat of one user (or of anybody, "*") that talks to one agent.
struct Pairing {
  std::string chat;
  std::string user;
  std::string peer;
};

/// An open question: `delivery` is its id in the outer world, `choices` JSON.
struct Question {
  std::string delivery;
  std::string message;
  std::string peer;
  std::string chat;
  std::string choices;
  std::uint64_t expires_ms = 0;
};

class Ledger {
 public:
  explicit Ledger(Transaction& tx) : tx_(tx) {}
  [[nodiscard]] Result<> create();

  [[nodiscard]] Result<> pair(const Pairing& pairing);
  [[nodiscard]] Result<> unpair(const std::string& peer, const std::string& chat);
  [[nodiscard]] Result<> move(const std::string& chat, const std::string& to);
  [[nodiscard]] Result<std::optional<Pairing>> pairing(const std::string& chat);
  [[nodiscard]] Result<std::vector<Pairing>> pairings(const std::string& peer);

  /// A fresh code for `peer`; `user` "*" lets anybody use it. Only its hash is kept.
  [[nodiscard]] Result<std::string> new_code(Random& random, const std::string& peer,
                                             const std::string& user, std::uint64_t now_ms);
  /// Pairs, and the code is used up; empty where it is unknown, used, expired or another user's.
  [[nodiscard]] Result<std::optional<Pairing>> redeem(const std::string& code,
                                                      const std::string& chat,
                                                      const std::string& user,
                                                      std::uint64_t now_ms);

  /// Whether `id` is new; from now on it is not.
  [[nodiscard]] Result<bool> first_time(const std::string& id, std::uint64_t now_ms);

  [[nodiscard]] Result<> ask(const Question& question);
  [[nodiscard]] Result<std::optional<Question>> question(const std::string& delivery);
  [[nodiscard]] Result<> close_question(const std::string& delivery);

 private:
  Transaction& tx_;
};

}  // namespace sealwire::bridge
