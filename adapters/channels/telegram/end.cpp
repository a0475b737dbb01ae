#include "adapters/channels/telegram/end.h"

#include "protocol/random.h"

namespace sealwire::channel::telegram {
namespace {

constexpr Millis kTick{50};  // while there are deadlines

ConnectionKey fresh_key() {
  ConnectionKey key;
  randombytes_buf(key.bytes.data(), key.bytes.size());
  return key;
}

}  // namespace

End::End(std::shared_ptr<Bot> bot, const Limits& limits, Handler& handler, std::string uri)
    : bot_(std::move(bot)), hub_(bot_->hub()), handler_(handler), uri_(std::move(uri)) {
  desk_->limits = limits;
}

std::unique_ptr<End> End::dial(std::shared_ptr<Bot> bot, const Endpoint& endpoint, Handler& handler,
                               std::string chat, std::int64_t peer) {
  std::unique_ptr<End> end(new End(std::move(bot), endpoint.limits, handler, endpoint.uri));
  {
    const std::lock_guard lock(end->hub_.mutex);
    const auto link = std::make_shared<Link>(end->hub_.shared_from_this(), end->desk_,
                                             Role::dialling, fresh_key(), std::move(chat), peer);
    link->deadline = Clock::now() + Millis(endpoint.limits.handshake_ms);
    end->hub_.add(link);
  }
  end->start();
  return end;
}

std::unique_ptr<End> End::listen(std::shared_ptr<Bot> bot, const Endpoint& endpoint,
                                 Handler& handler) {
  const std::string uri = "telegram://" + std::to_string(bot->account().bot());
  std::unique_ptr<End> end(new End(std::move(bot), endpoint.limits, handler, uri));
  {
    const std::lock_guard lock(end->hub_.mutex);
    if (end->hub_.listening) return nullptr;
    end->desk_->census =
        std::make_shared<Census>(endpoint.limits.connections, endpoint.limits.unproven,
                                 endpoint.limits.unproven_per_address);
    end->hub_.listening = end->desk_;
  }
  end->start();
  return end;
}

void End::start() {
  thread_ = std::thread([this] { run(); });
}

End::~End() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(hub_.mutex);
    stopping_ = true;
    desk_->accepting = false;
    if (hub_.listening == desk_) hub_.listening = nullptr;
    const bool listener = desk_->census != nullptr;
    const auto links = desk_->links;
    for (const auto& link : links) {
      if (link->ended || link->closing) continue;
      const Error error{Errc::closed, listener ? "the listener ended" : "the dialling end went"};
      if (link->in.opened())
        link->begin_close(error);
      else
        hub_.end(link, error, true);
    }
    desk_->changed.notify_all();
  }
  thread_.join();
  const std::lock_guard lock(hub_.mutex);
  desk_->ready.clear();  // what it would keep alive keeps it alive
}

void End::stop_accepting() {
  const std::lock_guard lock(hub_.mutex);
  desk_->accepting = false;
}

void End::run() {
  Lock lock(hub_.mutex);
  while (!stopping_ || !desk_->links.empty()) {
    const auto due = [this] { return stopping_ || !desk_->ready.empty(); };
    if (desk_->links.empty())
      desk_->changed.wait(lock, due);
    else
      desk_->changed.wait_for(lock, kTick, [this] { return !desk_->ready.empty(); });
    // As many as there were: a link that has more to tell waits for the others.
    for (std::size_t left = desk_->ready.size(); left > 0; --left) {
      const LinkPtr link = std::move(desk_->ready.front());
      desk_->ready.pop_front();
      link->queued = false;
      step(link, lock);
    }
    if (const auto now = Clock::now(); now >= next_check_) {
      check_deadlines(now);
      next_check_ = now + kTick;
    }
  }
}

void End::step(const LinkPtr& link, Lock& lock) {
  if (!desk_->links.contains(link)) return;
  const auto call = [&](auto&& callback) {
    lock.unlock();
    callback();
    lock.lock();
    link->stir();
  };
  if (link->ended) return tell_end(link, lock);
  if (!link->told_open) {
    if (link->in.opened() && (link->role == Role::listening || !link->in.closed())) {
      link->told_open = true;
      return call([&] { handler_.on_open(link); });
    }
    // The answer to a dial can be its refusal.
    if (link->in.closed()) hub_.end(link, {Errc::closed, *link->in.closed()}, false);
    return;
  }
  if (link->closing) {
    if (link->in.closed()) hub_.end(link, *link->closing, false);
    return;
  }
  if (link->writable_due) {
    link->writable_due = false;
    return call([&] { handler_.on_writable(link); });
  }
  const auto frame = link->in.next_frame();
  if (!frame) return hub_.end(link, frame.error(), true);
  if (!*frame) {
    if (link->in.closed()) hub_.end(link, {Errc::closed, *link->in.closed()}, false);
    return;
  }
  call([&] { handler_.on_bytes(link, **frame); });
  link->in.release((*frame)->size());
  if (link->in.credit_due()) hub_.want(link);
}

void End::tell_end(const LinkPtr& link, Lock& lock) {
  desk_->links.erase(link);
  link->leave_unproven();
  link->place.release();
  const bool open = link->told_open;
  if (!open && link->role == Role::listening) return;
  const Error error = open ? *link->ended : Error{Errc::connect_failed, link->ended->detail};
  lock.unlock();
  handler_.on_close(open ? link : nullptr, error);
  lock.lock();
}

void End::check_deadlines(Clock::time_point now) {
  std::vector<std::pair<LinkPtr, Error>> late;
  for (const auto& link : desk_->links)
    if (auto error = link->overdue(now)) late.emplace_back(link, std::move(*error));
  for (auto& [link, error] : late)
    hub_.end(link, std::move(error), true);
}

}  // namespace sealwire::channel::telegram
