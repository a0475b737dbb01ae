// From the agents to the world: to the chats that are paired with the sender and no other. A
// message is acknowledged when every such chat has it, or its sender was told why not.
#include <nlohmann/json.hpp>

#include "adapters/bridges/host/host.h"
#include "protocol/crypto/crypto.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"
#include "sdk/cpp/agent/wall_clock.h"

namespace sealwire::bridge {
namespace {

using cli::Json;

std::uint64_t to_ms(Time time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

std::string peer_name(const Message& message) {
  return message.nickname.empty() ? message.from : message.nickname;
}

std::string message_of(const std::string& delivery) {
  return delivery.substr(0, delivery.find('.'));
}

}  // namespace

void Host::answer_agent(const Message& message, Payload payload, PayloadKind kind) {
  const auto done = agent_.transact([&](Transaction& tx) -> Result<> {
    SW_TRY([[maybe_unused]] auto sending,
           to_agent(tx, message.from, std::move(payload), kind, message.id));
    return {};
  });
  if (!done) options_.log("an agent was not answered: " + done.error().detail);
}

void Host::refuse_agent(const Message& message, const std::string& why) {
  // An error about an error, or about a bridge's message, could go round for ever.
  if (message.kind != PayloadKind::error && message.provenance.empty())
    answer_agent(message, Payload(why), PayloadKind::error);
  options_.log("refused to carry a message: " + why);
  if (const auto done = agent_.acknowledge(message); !done) options_.log(done.error().detail);
}

void Host::on(const Message& message) {
  if (!hello_) return held_.push_back(message);
  if (in_hand_.contains(message.id)) return;
  if (!message.provenance.empty()) return refuse_agent(message, "it is bridged already");
  if (message.payload.media_type == kControlType) return control(message);
  outward(message);
}

void Host::control(const Message& message) {
  Json answer;
  const auto asked = cli::parse_json(message.text());
  const auto member = [&](const char* name, const char* otherwise) {
    const auto found = asked->find(name);
    return found != asked->end() && found->is_string() ? found->get<std::string>()
                                                       : std::string(otherwise);
  };
  const auto done = agent_.transact([&](Transaction& tx) -> Result<> {
    Ledger ledger(tx);
    if (!asked || !asked->is_object()) return fail(Errc::content_malformed, "not a JSON object");
    const std::string op = member("op", "");
    if (op == "pair" && hello_->pair) {
      crypto::SystemRandom random;
      const auto at = wall_clock().value;
      SW_TRY(const std::string code,
             ledger.new_code(random, message.from, member("user", "*"), at));
      answer = {{"code", code}, {"expires", cli::time_text({at + kCodeLifetimeMs})}};
    } else if (op == "unpair") {
      SW_CHECK(ledger.unpair(message.from, member("chat", "")));
      answer = {{"unpaired", member("chat", "")}};
    } else if (op == "chats") {
      SW_TRY(const auto pairings, ledger.pairings(message.from));
      answer = Json::array();
      for (const Pairing& each : pairings)
        answer.push_back({{"chat", each.chat}, {"user", each.user}});
    } else {
      return fail(Errc::content_malformed, "\"op\" is pair, unpair or chats");
    }
    return {};
  });
  if (!done) return refuse_agent(message, done.error().detail);
  Payload payload(answer.dump());
  payload.media_type = kControlType;
  answer_agent(message, std::move(payload), PayloadKind::reply);
  if (const auto ok = agent_.acknowledge(message); !ok) options_.log(ok.error().detail);
}

// A request is {"ask":TEXT,"choices":[TEXT,…]}; its answer is the bridge's signed statement.
std::optional<Question> Host::read_question(const Message& message, Content& shown,
                                            std::vector<std::string>& choices) const {
  const auto json = cli::parse_json(message.text());
  if (!json || !json->is_object() || !json->contains("ask") || !json->contains("choices") ||
      !(*json)["ask"].is_string() || !(*json)["choices"].is_array())
    return std::nullopt;
  for (const Json& choice : (*json)["choices"]) {
    if (!choice.is_string()) return std::nullopt;
    choices.push_back(choice.get<std::string>());
    if (choices.back().empty() || choices.back().size() > kChoiceBytes) return std::nullopt;
  }
  if (choices.empty() || choices.size() > kChoices) return std::nullopt;
  shown.media_type = Content{}.media_type;
  shown.data = to_bytes(as_bytes((*json)["ask"].get<std::string>()));
  return Question{{},
                  message.id,
                  message.from,
                  {},
                  (*json)["choices"].dump(),
                  message.deadline ? to_ms(*message.deadline) : 0};
}

void Host::outward(const Message& message) {
  Content shown{message.payload.media_type, message.payload.data};
  std::vector<std::string> choices;
  std::optional<Question> question;
  if (message.kind == PayloadKind::request) {
    if (!hello_->ask) return refuse_agent(message, "this bridge takes no requests");
    question = read_question(message, shown, choices);
    if (!question) return refuse_agent(message, R"(a request is {"ask":TEXT,"choices":[TEXT,…]})");
  }
  std::vector<Pairing> pairings;
  const auto done = agent_.transact([&](Transaction& tx) -> Result<> {
    Ledger ledger(tx);
    SW_TRY(pairings, ledger.pairings(message.from));
    for (std::size_t i = 0; question && i < pairings.size(); ++i) {
      question->delivery = message.id + "." + std::to_string(i);
      question->chat = pairings[i].chat;
      SW_CHECK(ledger.ask(*question));
    }
    return {};
  });
  if (!done) return refuse_agent(message, done.error().detail);
  if (pairings.empty()) return refuse_agent(message, "no chat is paired with you");

  InHand hand{message, pairings.size()};
  in_hand_.emplace(message.id, std::move(hand));
  for (std::size_t i = 0; i < pairings.size(); ++i) {
    const std::string delivery = message.id + "." + std::to_string(i);
    const auto added =
        deliveries_.add({delivery, pairings[i].chat, peer_name(message), shown, choices});
    if (added == Deliveries::Added::waiting) continue;
    answer_agent(message, Payload("too much waits for chat " + pairings[i].chat),
                 PayloadKind::error);
    settle(delivery);
  }
}

void Host::settle(const std::string& delivery) {
  const auto found = in_hand_.find(message_of(delivery));
  if (found == in_hand_.end() || --found->second.chats != 0) return;
  if (const auto done = agent_.acknowledge(found->second.message); !done)
    options_.log(done.error().detail);
  in_hand_.erase(found);
}

void Host::said(const Delivered& delivered) {
  if (!deliveries_.delivered(delivered.delivery)) return;
  failures_ = 0;
  {
    const std::lock_guard lock(mutex_);
    ++counts_.delivered;
  }
  settle(delivered.delivery);
}

void Host::said(const Failed& failed) {
  const auto given_up = deliveries_.failed(failed, wall_clock().value);
  if (!given_up) return;
  {
    const std::lock_guard lock(mutex_);
    ++counts_.given_up;
  }
  const auto found = in_hand_.find(message_of(failed.delivery));
  if (found != in_hand_.end())
    answer_agent(found->second.message,
                 Payload("not delivered to chat " + given_up->chat + ": " +
                         cli::printable(failed.cause.substr(0, 200))),
                 PayloadKind::error);
  settle(failed.delivery);
}

}  // namespace sealwire::bridge
