// AgentImpl: sending, requests, and transactions of the application's own.
#include "protocol/identity/did_key.h"
#include "sdk/cpp/agent/agent_impl.h"

namespace sealwire {
namespace {

constexpr std::size_t kQueuedMessagesMax = 65'536;
constexpr std::size_t kQueuedBytesMax = 256u * 1024 * 1024;

std::uint64_t to_millis(Time time) {
  const auto since = std::chrono::duration_cast<Millis>(time.time_since_epoch()).count();
  return since < 0 ? 0 : static_cast<std::uint64_t>(since);
}

}  // namespace

Result<sdk::SendRequest> AgentImpl::make_request(std::string_view peer, Payload payload,
                                                 const SendOptions& options) const {
  sdk::SendRequest request;
  SW_TRY(request.peer, resolve(peer));
  request.content.kind = static_cast<ContentKind>(options.kind);
  request.content.media_type = std::move(payload.media_type);
  request.content.data = std::move(payload.data);
  if (!options.reply_to.empty()) {
    const auto bytes = parse_hex(options.reply_to);
    request.content.reply_to = bytes ? MessageId::from(*bytes) : std::nullopt;
    if (!request.content.reply_to)
      return fail(Errc::content_malformed,
                  "what is answered is named by a message id, 36 hex digits");
  }
  if (options.deadline) request.content.deadline = {to_millis(*options.deadline)};
  request.content.trace = options.trace;
  request.transient = options.transient;
  request.letter = options.letter;
  if (options.transient && options.letter)
    return fail(Errc::content_malformed, "a letter cannot be transient");
  if (options.lifetime.count() <= 0)
    return fail(Errc::content_malformed, "a message lives for some time");
  request.lifetime_ms = static_cast<std::uint64_t>(options.lifetime.count());
  request.provenance = options.provenance;
  return request;
}

Result<std::shared_ptr<SendingState>> AgentImpl::reserve(sdk::SendRequest& request) {
  auto sending = std::make_shared<SendingState>();
  sending->bytes = request.content.data.size() + 256;
  request.ticket = next_ticket_++;
  const std::scoped_lock held(sends_mutex_);
  if (sends_.size() >= kQueuedMessagesMax || queued_bytes_ + sending->bytes > kQueuedBytesMax)
    return fail(Errc::overloaded, "too much waits to be sent: wait for some of it first");
  queued_bytes_ += sending->bytes;
  sends_.emplace(request.ticket, sending);
  return sending;
}

std::shared_ptr<SendingState> AgentImpl::find(sdk::Ticket ticket) {
  const std::scoped_lock held(sends_mutex_);
  const auto found = sends_.find(ticket);
  return found == sends_.end() ? nullptr : found->second;
}

void AgentImpl::release(sdk::Ticket ticket, const std::function<void(SendingState&)>& tell_it) {
  std::shared_ptr<SendingState> sending;
  {
    const std::scoped_lock held(sends_mutex_);
    const auto found = sends_.find(ticket);
    if (found == sends_.end()) return;
    sending = std::move(found->second);
    sends_.erase(found);
    queued_bytes_ -= sending->bytes;
  }
  tell_it(*sending);
}

Result<Sending> AgentImpl::send(std::string_view peer, Payload payload,
                                const SendOptions& options) {
  SW_TRY(sdk::SendRequest request, make_request(peer, std::move(payload), options));
  SW_TRY(auto sending, reserve(request));
  const sdk::Ticket ticket = request.ticket;
  if (!driver_->send(std::move(request)))
    release(ticket, [](SendingState& state) {
      state.refuse({Errc::closed, "the agent has stopped"});
    });
  return Sending(std::move(sending));
}

Result<Sending> AgentImpl::reply(const Message& message, Payload answer, PayloadKind kind) {
  SendOptions options;
  options.reply_to = message.id;
  options.kind = kind;
  return send(message.from, std::move(answer), options);
}

Result<Message> AgentImpl::request(std::string_view peer, Payload payload, Millis deadline) {
  SendOptions options;
  options.kind = PayloadKind::request;
  options.deadline = std::chrono::system_clock::now() + deadline;
  options.lifetime = deadline;
  SW_TRY(sdk::SendRequest request, make_request(peer, std::move(payload), options));
  SW_TRY(const auto sending, reserve(request));
  const sdk::Ticket ticket = request.ticket;
  auto answer = std::make_shared<RequestState>();
  {
    const std::scoped_lock held(sends_mutex_);
    requests_[ticket] = answer;
  }
  const auto until = std::chrono::steady_clock::now() + deadline;
  Result<Message> result = fail(Errc::timeout, "no answer before the deadline");
  if (!driver_->send(std::move(request))) {
    result = fail(Errc::closed, "the agent has stopped");
    release(ticket, [](SendingState& state) { state.refuse({Errc::closed, {}}); });
  } else {
    // Refused at once, or answered some time after it was accepted.
    const auto outcome = sending->outcome.wait(deadline);
    if (outcome && !*outcome) {
      result = fail(outcome->error());
    } else if (outcome) {
      const auto left =
          std::chrono::duration_cast<Millis>(until - std::chrono::steady_clock::now());
      if (auto answered = answer->wait(std::max(left, Millis(0)))) result = std::move(*answered);
    }
  }
  // The request's envelope lives as long as its deadline: that it expired is that nobody answered.
  if (!result && result.error().code == Errc::envelope_expired)
    result = fail(Errc::timeout, "no answer before the deadline");
  const std::scoped_lock held(sends_mutex_);
  requests_.erase(ticket);
  std::erase_if(requests_by_id_, [&](const auto& entry) { return entry.second == answer; });
  return result;
}

Result<> AgentImpl::transact(const std::function<Result<>(Transaction&)>& body) {
  std::unique_ptr<TransactionImpl> transaction;
  Result<> done = state_->transact([&](sdk::StateTransaction& state) -> Result<> {
    transaction = std::make_unique<TransactionImpl>(*this, state);
    return body(*transaction);
  });
  if (!transaction) return done;
  if (!done)
    transaction->undo(0, done.error());
  else
    transaction->launch();
  return done;
}

// --- Transaction ---------------------------------------------------------------------------------

namespace {
Result<sdk::RowKey> application_key(std::string_view key) {
  if (key.empty() || key.size() > 64) return fail(Errc::config_invalid, "a key has 1 to 64 bytes");
  return sdk::RowKey(as_bytes(key));
}
}  // namespace

Result<> TransactionImpl::put(std::string_view key, std::string_view value) {
  SW_TRY(const sdk::RowKey row, application_key(key));
  return state_.apply({sdk::Table::application, row, SecretBytes(as_bytes(value))});
}
Result<std::optional<std::string>> TransactionImpl::get(std::string_view key) {
  SW_TRY(const sdk::RowKey row, application_key(key));
  SW_TRY(const auto value, state_.fetch(sdk::Table::application, row));
  if (!value) return std::optional<std::string>();
  return std::optional<std::string>(as_text(value->span()));
}
Result<> TransactionImpl::erase(std::string_view key) {
  SW_TRY(const sdk::RowKey row, application_key(key));
  return state_.apply({sdk::Table::application, row, std::nullopt});
}
Result<> TransactionImpl::execute(
    std::string_view sql, const std::vector<std::string>& parameters,
    const std::function<void(const std::vector<std::optional<std::string>>&)>& row) {
  return state_.execute(sql, parameters, row);
}

Result<Sending> TransactionImpl::send(std::string_view peer, Payload payload,
                                      const SendOptions& options) {
  if (options.transient)
    return fail(Errc::content_malformed, "a transaction sends nothing that is not stored");
  SW_TRY(sdk::SendRequest request, agent_.make_request(peer, std::move(payload), options));
  SW_TRY(auto sending, agent_.reserve(request));
  auto unit = sdk::make_unit(request, agent_.driver_->take_unit_number(), wall_clock());
  Result<> written =
      unit ? state_.apply({sdk::Table::outbox, sdk::RowKey(unit->number), sdk::encode(*unit)})
           : fail(unit.error());
  if (!written) {
    agent_.release(request.ticket, [&](SendingState& state) { state.refuse(written.error()); });
    return fail(written.error());
  }
  units_.push_back(std::move(*unit));
  return Sending(std::move(sending));
}

Result<Sending> TransactionImpl::reply(const Message& message, Payload answer) {
  SendOptions options;
  options.reply_to = message.id;
  options.kind = PayloadKind::reply;
  return send(message.from, std::move(answer), options);
}

void TransactionImpl::undo(std::size_t from, const Error& error) {
  for (std::size_t i = from; i < units_.size(); ++i)
    for (const sdk::Ticket ticket : units_[i].tickets)
      agent_.release(ticket, [&](SendingState& state) { state.refuse(error); });
  units_.erase(units_.begin() + static_cast<std::ptrdiff_t>(from), units_.end());
}

void TransactionImpl::launch() {
  if (units_.empty()) return;
  auto units = std::make_shared<std::vector<sdk::Unit>>(std::move(units_));
  agent_.driver_->post([units](sdk::Core& core) {
    for (sdk::Unit& unit : *units)
      core.adopt(std::move(unit), wall_clock());
  });
}

}  // namespace sealwire
