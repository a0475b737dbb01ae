#include "adapters/bridges/host/ledger.h"

#include <charconv>

#include "protocol/crypto/crypto.h"
#include "protocol/identity/did_key.h"

namespace sealwire::bridge {
namespace {

using Row = std::vector<std::optional<std::string>>;

std::string hash_of(const std::string& code) {
  return hex(crypto::blake2b(as_bytes("sealwire bridge pairing code " + code)));
}

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

Result<> Ledger::create() {
  for (const char* table :
       {"app_bridge_pairing (chat TEXT PRIMARY KEY, user TEXT NOT NULL, peer TEXT NOT NULL)",
        "app_bridge_code (hash TEXT PRIMARY KEY, peer TEXT NOT NULL, user TEXT NOT NULL,"
        " expires INTEGER NOT NULL)",
        "app_bridge_seen (id TEXT PRIMARY KEY, at INTEGER NOT NULL)",
        "app_bridge_question (delivery TEXT PRIMARY KEY, message TEXT NOT NULL, peer TEXT NOT NULL,"
        " chat TEXT NOT NULL, choices TEXT NOT NULL, expires INTEGER NOT NULL)"})
    SW_CHECK(tx_.execute(std::string("CREATE TABLE IF NOT EXISTS ") + table));
  return {};
}

Result<> Ledger::pair(const Pairing& p) {
  return tx_.execute("INSERT OR REPLACE INTO app_bridge_pairing VALUES (?, ?, ?)",
                     {p.chat, p.user, p.peer});
}

Result<> Ledger::unpair(const std::string& peer, const std::string& chat) {
  return tx_.execute("DELETE FROM app_bridge_pairing WHERE peer = ? AND chat = ?", {peer, chat});
}

Result<> Ledger::move(const std::string& chat, const std::string& to) {
  SW_CHECK(
      tx_.execute("UPDATE OR REPLACE app_bridge_pairing SET chat = ? WHERE chat = ?", {to, chat}));
  return tx_.execute("UPDATE app_bridge_question SET chat = ? WHERE chat = ?", {to, chat});
}

Result<std::optional<Pairing>> Ledger::pairing(const std::string& chat) {
  std::optional<Pairing> found;
  SW_CHECK(tx_.execute("SELECT chat, user, peer FROM app_bridge_pairing WHERE chat = ?", {chat},
                       [&](const Row& row) {
                         found = {*row[0], *row[1], *row[2]};
                       }));
  return found;
}

Result<std::vector<Pairing>> Ledger::pairings(const std::string& peer) {
  std::vector<Pairing> found;
  SW_CHECK(
      tx_.execute("SELECT chat, user, peer FROM app_bridge_pairing WHERE peer = ? ORDER BY chat",
                  {peer}, [&](const Row& row) {
                    found.push_back({*row[0], *row[1], *row[2]});
                  }));
  return found;
}

Result<std::string> Ledger::new_code(Random& random, const std::string& peer,
                                     const std::string& user, std::uint64_t now_ms) {
  std::array<std::uint8_t, 16> bytes{};
  random.fill(bytes);
  std::string code = hex(bytes);
  // An agent has one code out at a time: the older one ends.
  SW_CHECK(tx_.execute("DELETE FROM app_bridge_code WHERE peer = ? OR expires < CAST(? AS INTEGER)",
                       {peer, std::to_string(now_ms)}));
  SW_CHECK(tx_.execute("INSERT INTO app_bridge_code VALUES (?, ?, ?, CAST(? AS INTEGER))",
                       {hash_of(code), peer, user, std::to_string(now_ms + kCodeLifetimeMs)}));
  return code;
}

Result<std::optional<Pairing>> Ledger::redeem(const std::string& code, const std::string& chat,
                                              const std::string& user, std::uint64_t now_ms) {
  std::optional<Pairing> found;
  SW_CHECK(
      tx_.execute("SELECT peer FROM app_bridge_code WHERE hash = ? AND user IN ('*', ?)"
                  " AND expires >= CAST(? AS INTEGER)",
                  {hash_of(code), user, std::to_string(now_ms)}, [&](const Row& row) {
                    found = {chat, user, *row[0]};
                  }));
  if (!found) return found;
  SW_CHECK(tx_.execute("DELETE FROM app_bridge_code WHERE hash = ?", {hash_of(code)}));
  SW_CHECK(pair(*found));
  return found;
}

Result<bool> Ledger::first_time(const std::string& id, std::uint64_t now_ms) {
  bool known = false;
  SW_CHECK(tx_.execute("SELECT 1 FROM app_bridge_seen WHERE id = ?", {id},
                       [&](const Row&) { known = true; }));
  if (known) return false;
  SW_CHECK(tx_.execute("DELETE FROM app_bridge_seen WHERE at < CAST(? AS INTEGER)",
                       {std::to_string(now_ms > kSeenMs ? now_ms - kSeenMs : 0)}));
  SW_CHECK(tx_.execute("INSERT INTO app_bridge_seen VALUES (?, CAST(? AS INTEGER))",
                       {id, std::to_string(now_ms)}));
  return true;
}

Result<> Ledger::ask(const Question& q) {
  return tx_.execute(
      "INSERT OR REPLACE INTO app_bridge_question VALUES (?, ?, ?, ?, ?, CAST(? AS INTEGER))",
      {q.delivery, q.message, q.peer, q.chat, q.choices, std::to_string(q.expires_ms)});
}

Result<std::optional<Question>> Ledger::question(const std::string& delivery) {
  std::optional<Question> found;
  SW_CHECK(
      tx_.execute("SELECT delivery, message, peer, chat, choices, expires FROM app_bridge_question"
                  " WHERE delivery = ?",
                  {delivery}, [&](const Row& row) {
                    found = {*row[0], *row[1], *row[2], *row[3], *row[4], number(*row[5])};
                  }));
  return found;
}

Result<> Ledger::close_question(const std::string& delivery) {
  return tx_.execute("DELETE FROM app_bridge_question WHERE delivery = ?", {delivery});
}

}  // namespace sealwire::bridge
