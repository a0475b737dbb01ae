// From the world to the agents: a Receive, Pair or Answer becomes a signed envelope and a row of
// the ledger in one transaction, so that each has its effect once.
#include <nlohmann/json.hpp>

#include "adapters/bridges/host/host.h"
#include "protocol/crypto/crypto.h"
#include "sdk/cli/text.h"
#include "sdk/cpp/agent/wall_clock.h"

namespace sealwire::bridge {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

void Host::outcome(const std::string& id, std::string_view code) {
  {
    const std::lock_guard lock(mutex_);
    if (code != "ok") ++counts_.refused;
  }
  if (bridge_) bridge_->tell(Outcome{id, std::string(code)});
}

Result<Sending> Host::to_agent(Transaction& tx, const std::string& peer, Payload payload,
                               PayloadKind kind, const std::string& reply_to) {
  SendOptions options;
  options.kind = kind;
  options.reply_to = reply_to;
  options.provenance = provenance_;
  return tx.send(peer, std::move(payload), options);
}

// `body` runs in a transaction and gives the code; its error rolls everything back.
template <class Body>
void Host::store_and_tell(const std::string& id, Body body) {
  std::string code;
  const auto done = agent_.transact([&](Transaction& tx) -> Result<> {
    Ledger ledger(tx);
    SW_TRY(code, body(tx, ledger));
    return {};
  });
  if (done) return outcome(id, code);
  options_.log("not stored: " + done.error().detail);
  outcome(id, done.error().code == Errc::content_malformed ? "invalid" : "busy");
}

void Host::said(const Receive& receive) {
  bool fresh = false;
  bool known = false;
  store_and_tell(receive.id, [&](Transaction& tx, Ledger& ledger) -> Result<std::string> {
    SW_TRY(const auto pairing, ledger.pairing(receive.chat));
    if (!pairing || (pairing->user != "*" && pairing->user != receive.user)) return "not_paired";
    SW_TRY(fresh, ledger.first_time("receive " + receive.id, wall_clock().value));
    known = !fresh;
    if (known) return "ok";
    Payload payload = Payload::bytes(receive.content.media_type, receive.content.data);
    SW_TRY([[maybe_unused]] auto sending,
           to_agent(tx, pairing->peer, std::move(payload), PayloadKind::message, {}));
    return "ok";
  });
  const std::lock_guard lock(mutex_);
  counts_.received += fresh ? 1 : 0;
  counts_.duplicates += known ? 1 : 0;
}

void Host::said(const Pair& pair) {
  if (!hello_->pair) return violation("pair, without the capability");
  store_and_tell(pair.id, [&](Transaction& tx, Ledger& ledger) -> Result<std::string> {
    const std::uint64_t at = wall_clock().value;
    SW_TRY(const auto paired, ledger.redeem(pair.code, pair.chat, pair.user, at));
    if (!paired) {
      // The same offer again, because its outcome was lost, is not a second use.
      SW_TRY(const auto already, ledger.pairing(pair.chat));
      SW_TRY(const bool fresh, ledger.first_time("denied " + pair.id, at));
      return already && already->user == pair.user && !fresh ? "ok" : "denied";
    }
    SW_TRY([[maybe_unused]] const bool noted, ledger.first_time("denied " + pair.id, at));
    const Json told{{"event", "paired"}, {"chat", pair.chat}, {"user", pair.user}};
    Payload payload(told.dump());
    payload.media_type = kControlType;
    SW_TRY([[maybe_unused]] auto sending,
           to_agent(tx, paired->peer, std::move(payload), PayloadKind::message, {}));
    return "ok";
  });
}

void Host::said(const Answer& answer) {
  if (!hello_->ask) return violation("answer, without the capability");
  store_and_tell(answer.id, [&](Transaction& tx, Ledger& ledger) -> Result<std::string> {
    SW_TRY(const auto question, ledger.question(answer.delivery));
    SW_TRY(const auto pairing, ledger.pairing(answer.chat));
    if (!question || !pairing || question->chat != answer.chat || pairing->peer != question->peer ||
        (pairing->user != "*" && pairing->user != answer.user))
      return "denied";
    const Json choices = Json::parse(question->choices);
    if (answer.choice >= choices.size()) return "denied";
    SW_CHECK(ledger.close_question(answer.delivery));
    const UnixMillis at = wall_clock();
    if (question->expires_ms != 0 && at.value > question->expires_ms) return "expired";
    const std::string choice = choices[answer.choice].get<std::string>();
    const Json statement{{"channel", hello_->name},  {"chat", answer.chat},
                         {"user", answer.user},      {"choice", choice},
                         {"at", cli::time_text(at)}, {"question", question->message}};
    SW_TRY([[maybe_unused]] auto sending,
           to_agent(tx, question->peer, Payload::json(statement.dump()), PayloadKind::reply,
                    question->message));
    return "ok";
  });
}

void Host::said(const Moved& moved) {
  const auto done =
      agent_.transact([&](Transaction& tx) { return Ledger(tx).move(moved.chat, moved.to); });
  if (!done) return options_.log("not moved: " + done.error().detail);
  deliveries_.moved(moved.chat, moved.to);
}

void Host::said(Fetch& fetch) {
  if (fetching_.size() >= kFetchesOpen || !fetching_.insert(fetch.ref).second)
    return violation("more fetches at a time than allowed, or two of one ref");
  {
    const std::lock_guard lock(mutex_);
    ++counts_.fetches;
  }
  fetcher_->fetch(std::move(fetch));
}

void Host::on(const Fetched& fetched) {
  // An answer for a bridge that has ended since finds no such ref.
  if (fetching_.erase(fetched.ref) != 0 && bridge_) bridge_->tell(fetched);
}

void Host::on(const Hook& hook) {
  if (!bridge_ || !hello_) return hooks_->answer({hook.ref, 503});
  if (!hello_->hook) return hooks_->answer({hook.ref, 404});
  {
    const std::lock_guard lock(mutex_);
    ++counts_.hooks;
  }
  bridge_->tell(hook);
}

void Host::said(const Hooked& hooked) {
  if (hooks_) hooks_->answer(hooked);
}

}  // namespace sealwire::bridge
