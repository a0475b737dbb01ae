#include "sdk/cpp/agent/driver.h"

#include <chrono>

namespace sealwire {
namespace {

constexpr std::uint64_t kCloseMs = 2 * kSecondMs;  // for a Close frame to leave

wire::Binding binding_type(channel::BindingType type) {
  switch (type) {
    case channel::BindingType::tls_exporter:
      return wire::Binding::tls_exporter;
    case channel::BindingType::curve:
      return wire::Binding::curve;
    default:
      return wire::Binding::none;
  }
}

}  // namespace

Driver::Driver(std::unique_ptr<sdk::Core> core, std::vector<channel::Endpoint> endpoints,
               bool offline, Listener& listener)
    : core_(std::move(core)),
      endpoints_(std::move(endpoints)),
      offline_(offline),
      listener_(listener) {}

void Driver::start() {
  thread_ = std::thread([this] { run(); });
}

void Driver::stop() {
  {
    const std::scoped_lock held(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable() && !on_own_thread()) thread_.join();
}

template <class Put>
bool Driver::put(const Put& into) {
  const std::scoped_lock held(mutex_);
  if (stopped_) return false;
  const bool idle = work_.empty();
  into(work_);
  if (idle) changed_.notify_one();
  return true;
}

bool Driver::send(sdk::SendRequest request) {
  return put([&](Work& work) { work.sends.push_back(std::move(request)); });
}
bool Driver::acknowledge(std::uint64_t inbox_number, bool erased) {
  return put([&](Work& work) { work.acknowledged.emplace_back(inbox_number, erased); });
}
bool Driver::post(std::function<void(sdk::Core&)> command) {
  return put([&](Work& work) { work.commands.push_back(std::move(command)); });
}

std::string Driver::endpoint() const {
  const std::scoped_lock held(mutex_);
  return endpoint_;
}

Driver::Work Driver::wait_for_work() {
  std::unique_lock held(mutex_);
  const UnixMillis next = std::min(core_->next_timer(), closing_.value_or(UnixMillis{UINT64_MAX}));
  const UnixMillis now = wall_clock();
  const auto awake = [this] { return (stop_ && !closing_) || !work_.empty(); };
  if (next > now) {
    // A minute at most: the wall clock may be set meanwhile.
    const auto pause = std::chrono::milliseconds(std::min(next.value - now.value, kMinuteMs));
    changed_.wait_for(held, pause, awake);
  }
  return std::exchange(work_, {});
}

void Driver::run() {
  if (!offline_) core_->connect(wall_clock());
  while (true) {
    Work work = wait_for_work();
    const UnixMillis now = wall_clock();
    core_->set_now(now);
    for (LinkEvent& event : work.link_events)
      take(std::move(event), now);
    for (const auto& [number, erased] : work.acknowledged)
      core_->acknowledge(number, erased);
    for (const auto& command : work.commands)
      command(*core_);
    for (sdk::SendRequest& request : work.sends)
      core_->send(request, now);
    core_->on_timer(now);
    bool stopping = false;
    {
      const std::scoped_lock held(mutex_);
      stopping = stop_;
    }
    if ((stopping || fatal_) && !closing_) {
      core_->close(now);
      closing_ = now + kCloseMs;
    }
    perform(core_->flush(now), now);
    if (closing_ && (!link_ || now >= *closing_)) break;
  }
  link_.reset();
  connection_.reset();
  {
    const std::scoped_lock held(mutex_);
    stopped_ = true;
    endpoint_.clear();
  }
  listener_.on_stopped(fatal_.value_or(Error{Errc::closed, "the agent has stopped"}));
}

void Driver::take(LinkEvent event, UnixMillis now) {
  if (!link_ || event.link != link_number_) return;  // of a connection that was given up
  switch (event.kind) {
    case LinkEvent::Kind::open: {
      connection_ = event.connection;
      const channel::Binding& binding = connection_->binding();
      core_->on_open({binding_type(binding.type), binding.value}, now);
      return;
    }
    case LinkEvent::Kind::bytes:
      link_->taken(event.bytes.size());
      core_->on_bytes(event.bytes, now);
      return;
    case LinkEvent::Kind::writable:
      push_frames();
      return;
    case LinkEvent::Kind::close:
      link_.reset();
      connection_.reset();
      frames_.clear();
      close_after_frames_ = false;
      {
        const std::scoped_lock held(mutex_);
        endpoint_.clear();
      }
      core_->on_close(event.error, now);
      return;
  }
}

void Driver::perform(sdk::Core::Output output, UnixMillis now) {
  if (output.channel.dial) dial(now);
  if (output.channel.promote && connection_) connection_->promote();
  for (Bytes& frame : output.channel.frames)
    frames_.push_back(std::move(frame));
  if (output.channel.close) {
    close_after_frames_ = true;
    if (link_ && !connection_) {
      // Nothing is open that could be closed in order.
      link_.reset();
      close_after_frames_ = false;
      core_->on_close({Errc::connect_failed, "given up"}, now);
    }
  }
  push_frames();
  listener_.on_flush(*core_);
  for (sdk::Event& event : output.events)
    listener_.on_event(std::move(event));
  for (const auto& completion : output.completions)
    completion();
  if (output.fatal) fatal_ = output.fatal;
}

void Driver::dial(UnixMillis now) {
  const channel::Endpoint& endpoint = endpoints_[next_endpoint_++ % endpoints_.size()];
  frames_.clear();
  close_after_frames_ = false;
  link_ = std::make_unique<Link>(++link_number_, [this](LinkEvent event) {
    put([&](Work& work) { work.link_events.push_back(std::move(event)); });
  });
  {
    const std::scoped_lock held(mutex_);
    endpoint_ = endpoint.uri;
  }
  if (const auto dialled = link_->dial(endpoint); !dialled) {
    link_.reset();
    core_->on_close(dialled.error(), now);
  }
}

void Driver::push_frames() {
  if (!connection_) return;
  while (!frames_.empty()) {
    const channel::Sent sent = connection_->send(frames_.front());
    if (sent == channel::Sent::full) {
      if (!close_after_frames_) return;  // on_writable comes
      // A broker that has stopped reading may never make room: the session ends without a word.
      frames_.clear();
      break;
    }
    if (sent == channel::Sent::closed) {
      frames_.clear();  // on_close comes
      return;
    }
    frames_.pop_front();
  }
  if (std::exchange(close_after_frames_, false)) connection_->close("the session has ended");
}

}  // namespace sealwire
