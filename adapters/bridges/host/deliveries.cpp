#include "adapters/bridges/host/deliveries.h"

#include <algorithm>

namespace sealwire::bridge {

void Deliveries::pace(std::uint64_t chat_interval_ms, std::uint64_t interval_ms) {
  chat_interval_ms_ = chat_interval_ms;
  interval_ms_ = interval_ms;
}

Deliveries::Added Deliveries::add(Deliver deliver) {
  if (waiting_ >= kWaiting) return Added::full;
  Chat& chat = chats_[deliver.chat];
  if (std::ranges::any_of(chat.queue, [&](const Deliver& d) { return d.id == deliver.id; }))
    return Added::waiting;
  if (chat.queue.size() >= kWaitingPerChat) return Added::chat_full;
  chat.queue.push_back(std::move(deliver));
  ++waiting_;
  return Added::waiting;
}

std::uint64_t Deliveries::due_of(const Chat& chat) const {
  if (chat.under_way) return chat.silent_until_ms;
  return std::max(chat.not_before_ms, not_before_ms_);
}

std::optional<std::uint64_t> Deliveries::due_ms() const {
  std::optional<std::uint64_t> due;
  for (const auto& [name, chat] : chats_)
    if (!chat.queue.empty()) due = std::min(due.value_or(UINT64_MAX), due_of(chat));
  return due;
}

std::optional<Deliver> Deliveries::next(std::uint64_t now_ms) {
  std::erase_if(chats_, [&](const auto& entry) {
    return entry.second.queue.empty() && entry.second.not_before_ms <= now_ms;
  });
  for (auto& [name, chat] : chats_)
    if (chat.under_way && chat.silent_until_ms <= now_ms) retry(chat, now_ms, 0);
  if (now_ms < not_before_ms_) return std::nullopt;
  // Chats take turns, so that a busy one does not keep the others waiting.
  auto from = chats_.upper_bound(last_);
  for (std::size_t i = 0; i < chats_.size(); ++i, ++from) {
    if (from == chats_.end()) from = chats_.begin();
    Chat& chat = from->second;
    if (chat.queue.empty() || chat.under_way || due_of(chat) > now_ms) continue;
    chat.under_way = true;
    chat.silent_until_ms = now_ms + kAnswerMs;
    chat.not_before_ms = now_ms + chat_interval_ms_;
    not_before_ms_ = now_ms + interval_ms_;
    last_ = from->first;
    return chat.queue.front();
  }
  return std::nullopt;
}

std::map<std::string, Deliveries::Chat>::iterator Deliveries::holder(const std::string& id) {
  return std::ranges::find_if(chats_, [&](const auto& entry) {
    return entry.second.under_way && entry.second.queue.front().id == id;
  });
}

bool Deliveries::delivered(const std::string& id) {
  const auto found = holder(id);
  if (found == chats_.end()) return false;
  found->second.queue.pop_front();
  found->second.under_way = false;
  found->second.attempts = 0;
  --waiting_;
  return true;
}

void Deliveries::retry(Chat& chat, std::uint64_t now_ms, std::uint64_t after_ms) {
  const std::uint64_t pause = std::min(kRetryMostMs, kRetryFirstMs << std::min(chat.attempts, 16U));
  chat.under_way = false;
  ++chat.attempts;
  ++retries_;
  chat.not_before_ms = std::max(chat.not_before_ms, now_ms + (after_ms != 0 ? after_ms : pause));
}

std::optional<Deliver> Deliveries::failed(const Failed& failed, std::uint64_t now_ms) {
  const auto found = holder(failed.delivery);
  if (found == chats_.end()) return std::nullopt;
  Chat& chat = found->second;
  if (!failed.permanent && chat.attempts + 1 < kAttempts) {
    retry(chat, now_ms, std::min(failed.retry_after_ms, std::uint64_t{3'600'000}));
    return std::nullopt;
  }
  Deliver given_up = chat.queue.front();
  delivered(failed.delivery);
  return given_up;
}

void Deliveries::interrupted(std::uint64_t now_ms) {
  for (auto& [name, chat] : chats_)
    if (chat.under_way) retry(chat, now_ms, 0);
}

void Deliveries::moved(const std::string& chat, const std::string& to) {
  const auto old = chats_.find(chat);
  if (old == chats_.end() || chat == to) return;
  Chat from = std::move(old->second);
  chats_.erase(old);
  Chat& target = chats_[to];
  // What waited under the old name is older. One of the two may be under way, and stays in front.
  if (target.under_way) {
    target.queue.insert(target.queue.begin() + 1, from.queue.begin(), from.queue.end());
  } else {
    from.queue.insert(from.queue.end(), target.queue.begin(), target.queue.end());
    target = std::move(from);
  }
  for (Deliver& each : target.queue)
    each.chat = to;
}

}  // namespace sealwire::bridge
