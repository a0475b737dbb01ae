#include "adapters/bridges/host/host.h"

#include <algorithm>

#include "sdk/cpp/agent/wall_clock.h"

namespace sealwire::bridge {
namespace {

constexpr std::size_t kSaidWaiting = 256;  // then the bridge waits
constexpr std::uint64_t kHelloMs = 5000;
constexpr std::uint64_t kSliceMs = 200;
constexpr std::uint64_t kRestartFirstMs = 500;
constexpr std::uint64_t kRestartMostMs = 60'000;

std::uint64_t now() {
  return wall_clock().value;
}

}  // namespace

Host::Host(Agent agent, Launch launch, HostOptions options)
    : agent_(std::move(agent)), launch_(std::move(launch)), options_(std::move(options)) {}

Host::~Host() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  bridge_.reset();
  fetcher_.reset();
  hooks_.reset();
  agent_.stop();  // ends what waits in it
  if (receiver_.joinable()) receiver_.join();
}

Counts Host::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  if (hooks_) counts.hooks_forged = hooks_->counts().forged;
  return counts;
}

std::size_t Host::in_hand() const {
  const std::lock_guard lock(mutex_);
  return in_hand_count_;
}

// --- events, from every thread to the loop's

void Host::push(Event event) {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
  changed_.notify_all();
}

void Host::push_said(std::uint64_t generation, Said said) {
  std::unique_lock lock(mutex_);
  const auto stale = [&] { return ending_ || generation != listening_; };
  changed_.wait(lock, [&] { return stale() || said_waiting_ < kSaidWaiting; });
  if (stale()) return;
  ++said_waiting_;
  events_.push_back(FromBridge{generation, std::move(said)});
  changed_.notify_all();
}

std::optional<Host::Event> Host::pop(std::uint64_t until_ms) {
  std::unique_lock lock(mutex_);
  const std::uint64_t at = now();
  const std::uint64_t wait = until_ms > at ? std::min(until_ms - at, kSliceMs) : 0;
  changed_.wait_for(lock, std::chrono::milliseconds(wait), [&] { return !events_.empty(); });
  in_hand_count_ = in_hand_.size() + held_.size();
  if (events_.empty()) {
    changed_.notify_all();
    return std::nullopt;
  }
  Event event = std::move(events_.front());
  events_.pop_front();
  if (std::holds_alternative<FromBridge>(event)) --said_waiting_;
  changed_.notify_all();
  return event;
}

void Host::receive_messages() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] {
        const auto waiting = std::ranges::count_if(
            events_, [](const Event& e) { return std::holds_alternative<Message>(e); });
        return ending_ || in_hand_count_ + static_cast<std::size_t>(waiting) < kInHand;
      });
      if (ending_) return;
    }
    auto message = agent_.receive(std::chrono::milliseconds(kSliceMs));
    if (message)
      push(std::move(*message));
    else if (message.error().code != Errc::timeout)
      return push(AgentStopped{message.error()});
  }
}

// --- the bridge's life

void Host::start_bridge(std::uint64_t now_ms) {
  const std::uint64_t generation = ++generation_;
  violated_ = false;
  {
    const std::lock_guard lock(mutex_);
    listening_ = generation;
  }
  auto started = launch_([this, generation](Said said) { push_said(generation, std::move(said)); },
                         [this, generation](const Error& why) {
                           push(BridgeEnded{generation, why});
                         });
  if (!started) return bridge_ended(started.error(), now_ms);
  bridge_ = std::move(*started);
  hello_by_ms_ = now_ms + kHelloMs;
}

void Host::bridge_ended(const Error& why, std::uint64_t now_ms) {
  const std::uint64_t pause = std::min(kRestartMostMs, kRestartFirstMs << std::min(failures_, 10U));
  ++failures_;
  options_.log(why.detail + "; started again in " + std::to_string(pause) + " ms");
  ++generation_;  // what it still has to say is of no interest
  {
    const std::lock_guard lock(mutex_);  // nothing waits for room while the bridge is destroyed
    listening_ = generation_;
    std::erase_if(events_, [](const Event& e) { return std::holds_alternative<FromBridge>(e); });
    said_waiting_ = 0;
    ++counts_.restarts;
    if (why.code == Errc::denied) ++counts_.attacks;
  }
  changed_.notify_all();
  bridge_.reset();
  hello_.reset();
  fetching_.clear();
  if (hooks_) hooks_->interrupt();
  deliveries_.interrupted(now_ms);
  start_at_ms_ = now_ms + pause;
}

void Host::violation(const std::string& what) {
  options_.log("the bridge broke the contract: " + what);
  violated_ = true;
}

void Host::deliver_what_is_due(std::uint64_t now_ms) {
  if (!bridge_ || !hello_) return;
  while (auto deliver = deliveries_.next(now_ms))
    bridge_->tell(*deliver);
  const std::lock_guard lock(mutex_);
  counts_.retried = deliveries_.retries();
}

Result<> Host::run(const std::function<bool()>& stop) {
  const auto prepared = agent_.transact([&](Transaction& tx) -> Result<> {
    Ledger ledger(tx);
    SW_CHECK(ledger.create());
    for (const Pairing& pairing : options_.pairings)
      SW_CHECK(ledger.pair(pairing));
    return {};
  });
  SW_CHECK(prepared);
  fetcher_.emplace(std::move(options_.egress),
                   [this](Fetched fetched) { push(std::move(fetched)); });
  if (options_.hooks) {
    SW_TRY(hooks_,
           Hooks::start(std::move(*options_.hooks), [this](Hook hook) { push(std::move(hook)); }));
    options_.log("takes webhooks on " + hooks_->url());
  }
  receiver_ = std::thread([this] { receive_messages(); });
  while (!stop() && !stopped_) {
    const std::uint64_t at = now();
    if (!bridge_ && at >= start_at_ms_) start_bridge(at);
    if (bridge_ && !hello_ && at >= hello_by_ms_)
      bridge_ended({Errc::timeout, "the bridge did not say hello within 5 s"}, at);
    deliver_what_is_due(at);
    auto event = pop(std::min(deliveries_.due_ms().value_or(UINT64_MAX), at + kSliceMs));
    if (event) std::visit([this](auto& one) { on(std::move(one)); }, *event);
    if (violated_ && bridge_) bridge_ended({Errc::config_invalid, "the bridge was ended"}, now());
  }
  if (stopped_) return fail(*stopped_);
  return {};
}

void Host::on(const BridgeEnded& event) {
  if (event.generation == generation_) bridge_ended(event.why, now());
}

void Host::on(const AgentStopped& event) {
  stopped_ = event.why;
}

void Host::on(FromBridge event) {
  if (event.generation != generation_) return;
  const bool is_hello = std::holds_alternative<Hello>(event.said);
  if (const auto sound = check(event.said); !sound) return violation(sound.error().detail);
  if (is_hello == hello_.has_value())
    return violation(is_hello ? "a second hello" : "something before hello");
  std::visit([this](auto& one) { said(one); }, event.said);
}

void Host::said(const Hello& hello) {
  hello_ = hello;
  provenance_ = "bridged:" + hello.name;
  deliveries_.pace(hello.chat_interval_ms, hello.interval_ms);
  bridge_->tell(Start{options_.options});
  for (const Message& message : std::exchange(held_, {}))
    on(message);
}

}  // namespace sealwire::bridge
