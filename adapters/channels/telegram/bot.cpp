#include "adapters/channels/telegram/bot.h"

namespace sealwire::channel::telegram {
namespace {

constexpr std::size_t kWorkers = 2;  // so that one slow upload does not hold up every chat

}  // namespace

std::shared_ptr<Bot> Bot::of(Account account, Millis pace) {
  static std::mutex mutex;
  static std::map<Digest, std::weak_ptr<Bot>> bots;
  const std::lock_guard lock(mutex);
  std::erase_if(bots, [](const auto& each) { return each.second.expired(); });
  auto& known = bots[account.name()];
  if (auto bot = known.lock()) {
    const std::lock_guard hub_lock(bot->hub().mutex);
    bot->hub().slow_down(pace);
    return bot;
  }
  auto bot = std::make_shared<Bot>(std::move(account), pace);
  known = bot;
  return bot;
}

Bot::Bot(Account account, Millis pace)
    : account_(std::move(account)), hub_(std::make_shared<Hub>(pace)) {
  for (std::size_t i = 0; i < 1 + kWorkers; ++i)
    apis_.push_back(std::make_unique<BotApi>(account_, stopping_));
  threads_.emplace_back([this] { poll(*apis_[0]); });
  for (std::size_t i = 1; i <= kWorkers; ++i)
    threads_.emplace_back([this, i] { work(*apis_[i]); });
}

Bot::~Bot() {
  {
    const std::lock_guard lock(hub_->mutex);
    hub_->stopping = true;
    hub_->work.notify_all();
  }
  stopping_ = true;
  for (auto& api : apis_)
    api->wake();
  for (auto& thread : threads_)
    thread.join();
  const std::lock_guard lock(hub_->mutex);
  hub_->forget();
}

Result<> Bot::wait_ready(Millis patience) {
  std::unique_lock lock(hub_->mutex);
  hub_->changed.wait_for(lock, patience, [this] { return hub_->ready || hub_->refused; });
  if (hub_->refused) return fail(Errc::connect_failed, hub_->trouble);
  return {};
}

void Bot::poll(BotApi& api) {
  std::int64_t offset = -1;  // the last one only, to forget it with all before: no connection of
  bool first = true;         // this process can be meant
  std::size_t limit = 1;
  std::uint64_t backoff_ms = kBackoffMs;
  while (!stopping_) {
    const auto updates = api.updates(offset, first ? 0 : kPollSeconds, limit);
    if (!updates) {
      if (stopping_) return;
      if (updates.error().what == Failure::What::too_long && limit > 1)
        limit = 1;
      else
        poll_failed(updates.error(), backoff_ms);
      continue;
    }
    backoff_ms = kBackoffMs;
    limit = kUpdatesPerPoll;
    if (first) offset = 0;
    if (!updates->empty()) offset = updates->back().id + 1;
    const std::lock_guard lock(hub_->mutex);
    hub_->trouble.clear();
    if (!first)
      for (const Update& update : *updates)
        hub_->arrived(update);
    hub_->ready = true;
    hub_->changed.notify_all();
    if (first) hub_->work.notify_all();
    first = false;
  }
}

void Bot::poll_failed(const Failure& failure, std::uint64_t& backoff_ms) {
  Millis time(backoff_ms);
  backoff_ms = std::min(2 * backoff_ms, kBackoffMsMax);
  if (failure.what == Failure::What::wait) time = failure.retry_after;
  {
    const std::lock_guard lock(hub_->mutex);
    hub_->trouble = failure.detail;
    if (failure.what == Failure::What::token) {
      hub_->refused = true;
      hub_->end_all({Errc::connection_lost, failure.detail});
    }
    hub_->changed.notify_all();
  }
  pause(time);
}

void Bot::pause(Millis time) {
  std::unique_lock lock(hub_->mutex);
  const auto until = Clock::now() + time;
  while (!hub_->stopping && Clock::now() < until)
    hub_->work.wait_until(lock, until);
}

void Bot::work(BotApi& api) {
  std::unique_lock lock(hub_->mutex);
  while (!hub_->stopping) {
    Clock::time_point again;
    auto job = hub_->take_job(Clock::now(), again);
    if (!job) {
      hub_->work.wait_until(lock, again);
      continue;
    }
    lock.unlock();
    if (job->what == Job::What::download) {
      auto document = api.download(job->file_id, job->file_bytes);
      lock.lock();
      hub_->downloaded(std::move(*job), std::move(document));
      continue;
    }
    Fragment& fragment = job->part.fragment;
    const Bytes document = job->part.document ? std::exchange(fragment.payload, {}) : Bytes();
    const std::string text = armour(fragment);
    const auto outcome = job->part.document ? api.send_document(job->chat, text, document)
                                            : api.send_text(job->chat, text);
    lock.lock();
    hub_->sent(std::move(*job), outcome);
  }
}

}  // namespace sealwire::channel::telegram
