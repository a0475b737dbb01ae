#include "adapters/channels/telegram/hub.h"

namespace sealwire::channel::telegram {

Millis Hub::pace_of(const std::string& name) const {
  return name.starts_with('-') ? pace_ * static_cast<int>(kGroupPaceFactor) : pace_;
}

void Hub::add(const LinkPtr& link) {
  links_[{link->peer, link->key}] = link;
  link->desk->links.insert(link);
  want(link);
}

void Hub::want(const LinkPtr& link) {
  if (link->in_turn || link->ended) return;
  Chat* const to = chat(link->chat);
  if (to == nullptr) return end(link, {Errc::connection_lost, "too many chats"}, false);
  link->in_turn = true;
  to->turn.push_back(link);
  work.notify_all();
}

void Hub::end(const LinkPtr& link, Error error, bool tell) {
  if (link->ended) return;
  const bool waits = link->part && !link->sending;
  if (tell && (waits || !link->out.closed())) {
    Fragment farewell = link->out.farewell(error.detail);
    // It takes the place of what will not go any more, so that nothing is missing before it.
    if (waits) farewell.number = link->part->fragment.number;
    if (link->sending)
      link->farewell = std::move(farewell);
    else
      leave(link->chat, std::move(farewell));
  }
  link->ended = std::move(error);
  link->part.reset();
  links_.erase({link->peer, link->key});
  link->stir();
}

void Hub::end_all(const Error& error) {
  while (!links_.empty())
    end(LinkPtr(links_.begin()->second), error, false);
}

void Hub::forget() {
  links_.clear();
  chats_.clear();
  downloads_.clear();
}

Hub::Chat* Hub::chat(const std::string& name) {
  if (const auto found = chats_.find(name); found != chats_.end()) return &found->second;
  return chats_.size() < kChats ? &chats_[name] : nullptr;
}

void Hub::leave(const std::string& name, Fragment fragment) {
  Chat* const to = chat(name);
  if (to == nullptr || to->farewells.size() >= kFarewellsPerChat) return;
  to->farewells.push_back(std::move(fragment));
  work.notify_all();
}

std::optional<Job> Hub::take_job(Clock::time_point now, Clock::time_point& again) {
  again = now + std::chrono::hours(1);
  for (auto each = downloads_.begin(); each != downloads_.end(); ++each) {
    if (now < each->not_before) {
      again = std::min(again, each->not_before);
      continue;
    }
    Job job = std::move(*each);
    downloads_.erase(each);
    return job;
  }
  if (!ready) return std::nullopt;
  // Each chat in its turn, from the one after the last.
  const auto start = chats_.upper_bound(last_chat_);
  auto at = start;
  for (std::size_t left = chats_.size(); left > 0; --left) {
    if (at == chats_.end()) at = chats_.begin();
    const auto here = at++;
    Chat& each = here->second;
    if (each.busy) continue;
    if (now < each.next_at || now < next_at_) {
      again = std::min(again, std::max(each.next_at, next_at_));
      continue;
    }
    if (auto job = take_from(here->first, each)) {
      last_chat_ = here->first;
      each.busy = true;
      each.next_at = now + pace_of(here->first);
      next_at_ = now + pace_ / static_cast<int>(kMessagesPerPace);
      return job;
    }
    chats_.erase(here);
  }
  return std::nullopt;
}

std::optional<Job> Hub::take_from(const std::string& name, Chat& from) {
  Job job;
  job.chat = name;
  if (!from.farewells.empty()) {
    job.what = Job::What::farewell;
    job.part.fragment = std::move(from.farewells.front());
    from.farewells.pop_front();
    return job;
  }
  while (!from.turn.empty()) {
    const LinkPtr link = std::move(from.turn.front());
    from.turn.pop_front();
    link->in_turn = false;
    if (link->ended) continue;
    if (!link->part) {
      link->part = link->out.next(link->in.credit(), link->in.credit_due());
      if (!link->part) continue;
      link->in.told(link->part->fragment.credit);
    }
    job.link = link;
    job.part = *link->part;
    link->sending = true;
    return job;
  }
  return std::nullopt;
}

void Hub::sent(Job job, const Outcome<>& outcome) {
  const auto found = chats_.find(job.chat);
  if (found != chats_.end()) found->second.busy = false;
  if (job.link) job.link->sending = false;
  if (job.link && job.link->farewell) {
    if (!outcome) job.link->farewell->number = job.part.fragment.number;
    leave(job.link->chat, *std::exchange(job.link->farewell, std::nullopt));
  }
  if (outcome) {
    if (job.link) went(job.link);
  } else {
    failed(std::move(job), outcome.error());
  }
  work.notify_all();
}

void Hub::went(const LinkPtr& link) {
  if (link->ended) return;
  const bool closed = link->part->fragment.kind == Kind::close;
  link->part.reset();
  link->tries = 0;
  if (closed) return end(link, *link->closing, false);
  if (link->writable_wanted && link->unsent_bytes() <= link->desk->limits.buffered_bytes / 2) {
    link->writable_wanted = false;
    link->writable_due = true;
    link->stir();
  }
  want(link);
}

void Hub::failed(Job job, const Failure& failure) {
  const auto now = Clock::now();
  switch (failure.what) {
    case Failure::What::wait:
      if (Chat* const to = chat(job.chat))
        to->next_at = std::max(to->next_at, now + failure.retry_after);
      return put_back(std::move(job));
    case Failure::What::migrated:
      move_chat(job.chat, std::to_string(failure.chat));
      job.chat = std::to_string(failure.chat);
      return put_back(std::move(job));
    case Failure::What::token:
      refused = true;
      [[fallthrough]];
    case Failure::What::refused:
      if (job.link) end(job.link, {Errc::connection_lost, failure.detail}, false);
      return;
    default:
      break;
  }
  const unsigned tries = job.link ? ++job.link->tries : kSendTries;
  if (tries >= kSendTries) {
    if (job.link) end(job.link, {Errc::connection_lost, failure.detail}, false);
    return;
  }
  if (Chat* const to = chat(job.chat))
    to->next_at = std::max(to->next_at, now + Millis(kBackoffMs << tries));
  put_back(std::move(job));
}

void Hub::put_back(Job job) {
  // The chat may have another name by now: a link knows it.
  Chat* const to = chat(job.link ? job.link->chat : job.chat);
  if (to == nullptr || (job.link && job.link->ended)) return;
  if (!job.link) return to->farewells.push_front(std::move(job.part.fragment));
  if (job.link->in_turn) return;
  job.link->in_turn = true;
  to->turn.push_front(job.link);
}

void Hub::move_chat(const std::string& from, const std::string& to) {
  for (const auto& [speaker, link] : links_)
    if (link->chat == from) link->chat = to;
  const auto old = chats_.find(from);
  if (old == chats_.end() || from == to) return;
  Chat moved = std::move(old->second);
  chats_.erase(old);
  Chat& now = chats_[to];
  now.next_at = std::max(now.next_at, moved.next_at);
  std::ranges::move(moved.farewells, std::back_inserter(now.farewells));
  std::ranges::move(moved.turn, std::back_inserter(now.turn));
}

void Hub::downloaded(Job job, Outcome<Bytes> outcome) {
  if (job.link->ended) return;
  if (!outcome) {
    const Failure& failure = outcome.error();
    const bool again = failure.what == Failure::What::unreached;
    if (failure.what != Failure::What::wait && !(again && ++job.tries < kSendTries)) {
      const std::string why = "a fragment's document: " + failure.detail;
      return end(job.link, {Errc::connection_lost, why}, true);
    }
    const Millis time = again ? Millis(kBackoffMs << job.tries) : Millis(failure.retry_after);
    job.not_before = Clock::now() + time;
    downloads_.push_back(std::move(job));
    return work.notify_all();
  }
  if (const auto filled = job.link->in.fill(job.number, std::move(*outcome), Clock::now()); !filled)
    return end(job.link, filled.error(), true);
  job.link->stir();
}

}  // namespace sealwire::channel::telegram
