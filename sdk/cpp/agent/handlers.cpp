// AgentImpl: the inbox as the application sees it, and the thread that runs its handlers.
#include "protocol/identity/did_key.h"
#include "sdk/cpp/agent/agent_impl.h"

namespace sealwire {
namespace {

constexpr std::size_t kMessagesPerTransaction = 64;
constexpr std::size_t kNoticesMax = 1024;  // beyond it the oldest go: they are a courtesy

Time to_time(UnixMillis time) {
  return Time(Millis(time.value));
}

}  // namespace

Message AgentImpl::to_message(sdk::Received received) {
  Message message;
  message.id = hex(received.id);
  {
    const std::scoped_lock held(peers_mutex_);
    const auto peer = peers_->by_id.find(received.from);
    if (peer != peers_->by_id.end()) {
      message.from = peer->second.agent;
      message.nickname = peer->second.nickname;
    }
  }
  if (message.from.empty()) message.from = agent_text(received.from);
  if (!received.letter) message.conversation = hex(received.conversation);
  message.kind = static_cast<PayloadKind>(received.content.kind);
  message.payload.media_type = std::move(received.content.media_type);
  message.payload.data = std::move(received.content.data);
  if (received.content.reply_to) message.reply_to = hex(*received.content.reply_to);
  message.sent = to_time(received.sent);
  if (received.content.deadline.value != 0) message.deadline = to_time(received.content.deadline);
  message.provenance = std::move(received.provenance);
  message.trace = std::move(received.content.trace);
  message.sequence = received.sequence;
  message.transient = received.transient;
  message.letter = received.letter;
  message.inbox_number = received.number;
  return message;
}

void AgentImpl::receive_one(sdk::Received received) {
  std::shared_ptr<RequestState> request;
  const bool answers =
      received.content.kind == ContentKind::reply || received.content.kind == ContentKind::error;
  if (answers && received.content.reply_to) {
    const std::scoped_lock held(sends_mutex_);
    const auto waiting = requests_by_id_.find(*received.content.reply_to);
    if (waiting != requests_by_id_.end()) {
      request = waiting->second;
      requests_by_id_.erase(waiting);
    }
  }
  Message message = to_message(std::move(received));
  message.agent = weak_from_this();
  if (request) {
    driver_->acknowledge(message.inbox_number, false);
    if (message.kind == PayloadKind::error)
      request->set(fail(Errc::denied, std::string(message.text())));
    else
      request->set(std::move(message));
    return;
  }
  const std::scoped_lock held(inbox_mutex_);
  inbox_.push_back(std::move(message));
  inbox_changed_.notify_all();
}

void AgentImpl::tell(Notice notice) {
  const std::scoped_lock held(inbox_mutex_);
  if (notices_.size() >= kNoticesMax) notices_.pop_front();
  notices_.push_back(std::move(notice));
  inbox_changed_.notify_all();
}

Result<Message> AgentImpl::receive(Millis timeout) {
  std::unique_lock held(inbox_mutex_);
  const bool came =
      inbox_changed_.wait_for(held, timeout, [this] { return !inbox_.empty() || ended_; });
  if (!inbox_.empty() && !ended_) {
    Message message = std::move(inbox_.front());
    inbox_.pop_front();
    return message;
  }
  if (came) return fail(Errc::closed, "the agent has stopped");
  return fail(Errc::timeout, "no message came");
}

Result<> AgentImpl::acknowledge(const Message& message) {
  if (!driver_->acknowledge(message.inbox_number, false))
    return fail(Errc::closed, "the agent has stopped");
  return {};
}

void AgentImpl::on_message(std::function<void(const Message&)> handler) {
  {
    const std::scoped_lock held(inbox_mutex_);
    plain_handler_ = std::move(handler);
    transaction_handler_ = nullptr;
    inbox_changed_.notify_all();
  }
  start_handlers();
}
void AgentImpl::handle(std::function<Result<>(Transaction&, const Message&)> handler) {
  {
    const std::scoped_lock held(inbox_mutex_);
    transaction_handler_ = std::move(handler);
    plain_handler_ = nullptr;
    inbox_changed_.notify_all();
  }
  start_handlers();
}
void AgentImpl::on_notice(std::function<void(const Notice&)> handler) {
  {
    const std::scoped_lock held(inbox_mutex_);
    notice_handler_ = std::move(handler);
    inbox_changed_.notify_all();
  }
  start_handlers();
}

void AgentImpl::start_handlers() {
  std::call_once(handlers_started_,
                 [this] { handlers_ = std::thread([this] { run_handlers(); }); });
}

void AgentImpl::run_handlers() {
  std::unique_lock held(inbox_mutex_);
  while (true) {
    inbox_changed_.wait(held, [this] {
      const bool message =
          !inbox_.empty() && !draining_ && (plain_handler_ || transaction_handler_);
      return ended_ || message || (!notices_.empty() && notice_handler_);
    });
    if (!notices_.empty() && notice_handler_) {
      const Notice notice = std::move(notices_.front());
      notices_.pop_front();
      const auto handler = notice_handler_;
      held.unlock();
      handler(notice);
      held.lock();
      continue;
    }
    if (ended_) return;
    handling_ = true;
    if (transaction_handler_) {
      handle_in_transactions(held);
    } else {
      const Message message = std::move(inbox_.front());
      inbox_.pop_front();
      held.unlock();
      if (handle_plain(message)) driver_->acknowledge(message.inbox_number, false);
      held.lock();
    }
    handling_ = false;
    inbox_changed_.notify_all();
  }
}

// True: it returned. A message whose handler throws stays in the inbox and comes again after a
// restart.
bool AgentImpl::handle_plain(const Message& message) {
  std::function<void(const Message&)> handler;
  {
    const std::scoped_lock held(inbox_mutex_);
    handler = plain_handler_;
  }
  std::string what = "an exception";
  try {
    handler(message);
    return true;
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {
  }
  Notice notice;
  notice.kind = Notice::Kind::handler_failed;
  notice.peer = message.from;
  notice.message_id = message.id;
  notice.detail = what;
  tell(std::move(notice));
  return false;
}

// Several messages share one transaction, hence one fsync; each has a savepoint of its own.
void AgentImpl::handle_in_transactions(std::unique_lock<std::mutex>& held) {
  const auto handler = transaction_handler_;
  std::vector<Message> batch;
  while (!inbox_.empty() && batch.size() < kMessagesPerTransaction) {
    batch.push_back(std::move(inbox_.front()));
    inbox_.pop_front();
  }
  held.unlock();

  std::size_t handled = 0;
  std::optional<Error> failure;
  std::unique_ptr<TransactionImpl> transaction;
  const auto one = [&](const Message& message, sdk::StateTransaction& state) -> Result<> {
    SW_CHECK(handler(*transaction, message));
    if (message.inbox_number == 0) return {};
    return state.apply({sdk::Table::inbox, sdk::RowKey(message.inbox_number), std::nullopt});
  };
  const Result<> committed = state_->transact([&](sdk::StateTransaction& state) -> Result<> {
    transaction = std::make_unique<TransactionImpl>(*this, state);
    for (const Message& message : batch) {
      const std::size_t units_before = transaction->units();
      const Result<> done = state.nested([&]() -> Result<> {
        try {
          return one(message, state);
        } catch (const std::exception& exception) {
          return fail(Errc::cancelled, exception.what());
        } catch (...) {
          return fail(Errc::cancelled, "an exception");
        }
      });
      if (!done) {
        failure = done.error();
        transaction->undo(units_before, done.error());
        break;
      }
      ++handled;
    }
    return {};
  });
  if (!committed) {
    failure = committed.error();
    handled = 0;
    if (transaction) transaction->undo(0, committed.error());
  } else {
    for (std::size_t i = 0; i < handled; ++i)
      driver_->acknowledge(batch[i].inbox_number, true);
    transaction->launch();
  }
  if (failure) {
    Notice notice;
    notice.kind = Notice::Kind::handler_failed;
    notice.peer = batch[handled].from;
    notice.message_id = batch[handled].id;
    notice.error = failure;
    notice.detail = failure->detail;
    tell(std::move(notice));
  }

  held.lock();
  for (std::size_t i = batch.size(); i > handled; --i)
    inbox_.push_front(std::move(batch[i - 1]));
  if (!failure) {
    handler_failures_ = 0;
    return;
  }
  // The order of messages is kept: nothing overtakes the one that failed.
  const auto pause = std::chrono::seconds(std::min(60u, 1u << std::min(handler_failures_, 6u)));
  ++handler_failures_;
  handling_ = false;
  inbox_changed_.notify_all();
  inbox_changed_.wait_for(held, pause, [this] { return ended_ || draining_; });
}

}  // namespace sealwire
