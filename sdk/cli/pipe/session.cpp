#include "sdk/cli/pipe/session.h"

#include <fmt/format.h>

#include <ostream>

#include "sdk/cli/message_print.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

constexpr std::size_t kWaitingMax = 1024;  // sent and not answered by the broker
constexpr std::size_t kRequestsMax = 64;
constexpr Millis kSlice{50};

Json with_ref(Json event, const std::string& ref) {
  if (!ref.empty()) event["ref"] = ref;
  return event;
}

}  // namespace

void EventWriter::write(const Json& event) {
  const std::lock_guard lock(mutex_);
  out_ << to_line(event) << std::flush;
  if (!out_) broken_ = true;
}

PipeSession::PipeSession(Agent agent, EventWriter& events)
    : agent_(std::move(agent)), events_(events) {
  agent_.on_notice([this](const Notice& notice) {
    if (notice.kind == Notice::Kind::connected) connection(true);
    if (notice.kind == Notice::Kind::disconnected) connection(false);
    if (notice.kind == Notice::Kind::stopped) {
      const std::lock_guard lock(mutex_);
      stopped_ = notice.error.value_or(Error{Errc::closed, notice.detail});
    }
    if (notice.kind == Notice::Kind::refused)
      events_.write({{"event", "refused"},
                     {"id", notice.message_id},
                     {"code", name(notice.error ? notice.error->code : Errc::denied)}});
  });
  if (agent_.status().connected) connection(true);  // it was quicker than on_notice
  receiver_ = std::thread([this] { receive_messages(); });
  reporter_ = std::thread([this] { report_outcomes(); });
}

PipeSession::~PipeSession() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  agent_.stop();  // ends what waits in it
  receiver_.join();
  reporter_.join();
  for (auto& [number, thread] : requests_)
    thread.join();
}

void PipeSession::connection(bool connected) {
  {
    const std::lock_guard lock(mutex_);
    if (connected_.value_or(false) == connected) return;
    connected_ = connected;
  }
  events_.write({{"event", "connection"}, {"connected", connected}});
}

void PipeSession::fail_operation(const std::string& ref, const Error& error) {
  Json event = with_ref({{"event", "error"}}, ref);
  event["code"] = name(error.code);
  event["cause"] = error.detail;
  if (const std::string_view next = next_command(error.code); !next.empty()) event["try"] = next;
  events_.write(event);
}

void PipeSession::perform(Operation operation) {
  switch (operation.op) {
    case Op::send:
      return send(operation);
    case Op::request:
      return request(std::move(operation));
    case Op::reply:
      return reply(operation);
    case Op::ack:
      return acknowledge(operation);
    case Op::peers:
      return peers(operation);
  }
}

void PipeSession::send(const Operation& operation) {
  watch(operation.ref, agent_.send(operation.to, to_payload(operation.content)));
}

void PipeSession::reply(const Operation& operation) {
  std::optional<Message> message;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = unacknowledged_.find(operation.message); found != unacknowledged_.end())
      message = found->second;
  }
  if (!message)
    return fail_operation(operation.ref,
                          {Errc::cancelled, "no unacknowledged message has this id"});
  watch(operation.ref, agent_.reply(*message, to_payload(operation.content)));
}

void PipeSession::watch(std::string ref, Result<Sending> sending) {
  if (!sending) return fail_operation(ref, sending.error());
  std::unique_lock lock(mutex_);
  waiting_.push_back({std::move(ref), std::move(*sending)});
  changed_.notify_all();
  changed_.wait(lock, [&] { return ending_ || stopped_ || waiting_.size() < kWaitingMax; });
}

void PipeSession::report_outcomes() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    // The oldest is most likely the next; the others are looked at in passing.
    const Sending oldest = waiting_.front().sending;
    lock.unlock();
    const bool known = oldest.wait(kSlice).has_value();
    lock.lock();
    std::vector<std::pair<std::string, Result<Accepted>>> outcomes;
    for (auto each = waiting_.begin(); each != waiting_.end();) {
      if (auto outcome = each->sending.outcome()) {
        outcomes.emplace_back(each->ref, std::move(*outcome));
        each = waiting_.erase(each);
      } else if (known) {
        break;  // in order, as almost always: no need to look at all
      } else {
        ++each;
      }
    }
    if (ending_ && outcomes.empty()) return;
    lock.unlock();
    for (const auto& [ref, outcome] : outcomes) {
      if (outcome)
        events_.write(with_ref({{"event", "accepted"}, {"id", outcome->message_id}}, ref));
      else
        fail_operation(ref, outcome.error());
    }
    lock.lock();
    changed_.notify_all();
  }
}

void PipeSession::request(Operation operation) {
  std::unique_lock lock(mutex_);
  for (const std::uint64_t number : std::exchange(finished_, {})) {
    requests_.at(number).join();
    requests_.erase(number);
  }
  if (requests_.size() >= kRequestsMax) {
    lock.unlock();
    return fail_operation(operation.ref,
                          {Errc::overloaded, fmt::format("{} requests are open", kRequestsMax)});
  }
  const std::uint64_t number = next_request_++;
  requests_.emplace(number, std::thread([this, number, asked = std::move(operation)] {
                      ask(asked);
                      const std::lock_guard done(mutex_);
                      finished_.push_back(number);
                      changed_.notify_all();
                    }));
}

void PipeSession::ask(const Operation& asked) {
  const auto answer =
      agent_.request(asked.to, to_payload(asked.content), Millis(asked.deadline_ms));
  if (answer) {
    Json event = with_ref({{"event", "reply"}}, asked.ref);
    event.update(message_json(*answer));
    events_.write(event);
  } else if (answer.error().code == Errc::envelope_expired) {
    // The request's envelope expires with it: which of the two is noticed first is chance.
    fail_operation(asked.ref, {Errc::timeout, "no answer within its deadline"});
  } else {
    fail_operation(asked.ref, answer.error());
  }
}

void PipeSession::acknowledge(const Operation& operation) {
  std::optional<Message> message;
  {
    const std::lock_guard lock(mutex_);
    const auto found = unacknowledged_.find(operation.message);
    if (found != unacknowledged_.end()) {
      message = std::move(found->second);
      unacknowledged_.erase(found);
    }
  }
  changed_.notify_all();
  if (!message)
    return fail_operation(operation.ref,
                          {Errc::cancelled, "no unacknowledged message has this id"});
  if (const auto done = agent_.acknowledge(*message); !done)
    fail_operation(operation.ref, done.error());
}

void PipeSession::peers(const Operation& operation) {
  Json list = Json::array();
  for (const Peer& peer : agent_.peers()) {
    Json json{{"agent", peer.agent}};
    if (!peer.nickname.empty()) json["name"] = peer.nickname;
    json["allowed"] = peer.contact == Peer::Contact::allowed;
    list.push_back(std::move(json));
  }
  events_.write(with_ref({{"event", "peers"}, {"peers", std::move(list)}}, operation.ref));
}

void PipeSession::receive_messages() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || unacknowledged_.size() < kPipeUnacknowledged; });
    if (ending_) return;
    lock.unlock();
    const auto message = agent_.receive(kSlice);
    if (message) {
      lock.lock();
      unacknowledged_.emplace(message->id, *message);
      lock.unlock();
      Json event{{"event", "message"}};
      event.update(message_json(*message));
      events_.write(event);
    }
    lock.lock();
    if (!message && message.error().code != Errc::timeout) {
      if (!ending_ && !stopped_) stopped_ = message.error();
      changed_.notify_all();
      return;
    }
  }
}

std::optional<Error> PipeSession::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void PipeSession::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, Millis(kPipeDrainMs), [&] {
    return stopped_ || (waiting_.empty() && finished_.size() == requests_.size());
  });
}

}  // namespace sealwire::cli
