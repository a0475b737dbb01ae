#include "sdk/cpp/agent/sending.h"

#include "sdk/cpp/agent/agent_impl.h"

namespace sealwire {
namespace {
const Error kNothingSent{Errc::cancelled, "nothing was sent"};
}

Result<Accepted> Sending::wait(Millis timeout) const {
  if (!state_) return fail(kNothingSent);
  auto outcome = state_->outcome.wait(timeout);
  if (!outcome) return fail(Errc::timeout, "not accepted yet; it stays on its way");
  return std::move(*outcome);
}

Result<> Sending::stored(Millis timeout) const {
  if (!state_) return fail(kNothingSent);
  auto stored = state_->stored.wait(timeout);
  if (!stored) return fail(Errc::timeout, "not stored yet");
  return std::move(*stored);
}

std::optional<Result<Accepted>> Sending::outcome() const {
  if (!state_) return Result<Accepted>(fail(kNothingSent));
  return state_->outcome.get();
}

Result<Sending> Message::reply(Payload answer) const {
  const auto receiver = agent.lock();
  if (!receiver) return fail(Errc::closed, "the agent has ended");
  return receiver->reply(*this, std::move(answer), PayloadKind::reply);
}

Result<Sending> Message::reply_error(std::string_view text) const {
  const auto receiver = agent.lock();
  if (!receiver) return fail(Errc::closed, "the agent has ended");
  return receiver->reply(*this, Payload(text), PayloadKind::error);
}

}  // namespace sealwire
