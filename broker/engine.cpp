// The threads of the pipeline: channels push, the router thread decides and settles, the committer
// thread writes.
#include <thread>

#include "adapters/channels/census.h"
#include "broker/frames_out.h"
#include "broker/handshake_limit.h"
#include "broker/inbox.h"
#include "broker/link.h"
#include "broker/pipeline.h"
#include "broker/router.h"
#include "broker/stages.h"

namespace sealwire::broker {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kTick = std::chrono::seconds(1);
constexpr std::uint64_t kStalledMs = 15 * kSecondMs;  // without a turn of the router: not healthy
constexpr std::size_t kEventOverheadBytes = 256;
constexpr std::size_t kEventsPerStep = 256;

}  // namespace

struct Pipeline::Impl {
  Impl(RouterConfig config_, PipelineParts parts_, std::unique_ptr<Router> router_,
       BrokerIncarnation incarnation_)
      : config(std::move(config_)),
        parts(std::move(parts_)),
        router(std::move(router_)),
        incarnation(incarnation_),
        inbox(config.queued_events_max, config.queued_bytes_max),
        handshake_limit(config.handshakes, config.handshake_addresses_max),
        last_turn_ms(parts.clock().value) {}

  // I/O threads
  void open(const channel::ConnectionPtr& connection);
  void receive(const LinkPtr& link, ByteSpan frame);
  void enqueue(const LinkPtr& link, Event event, std::size_t frame_bytes);

  // router thread
  void run_router();
  void turn(Post post);
  void decide_some();
  void dispatch();
  void close_late_handshakes(UnixMillis now);
  void hand_over(Batch batch);

  // committer thread
  void run_committer();

  const RouterConfig config;  // as at start; the router has its own, which `reload` changes
  const PipelineParts parts;
  std::unique_ptr<Router> router;
  const BrokerIncarnation incarnation;
  Inbox inbox;
  Links links;
  std::atomic<ConnectionId> last_connection{0};
  std::mutex handshake_mutex;
  HandshakeLimit handshake_limit;

  std::deque<Post::Item> waiting;  // events that the router has not decided yet
  Clock::time_point next_tick = Clock::now() + kTick;
  bool stopping = false;

  std::mutex batch_mutex;
  std::condition_variable batch_ready;
  std::optional<Batch> batch;
  bool committer_stops = false;

  std::mutex drained_mutex;
  std::condition_variable drained_changed;
  bool drained = false;

  std::atomic<bool> router_healthy{true};
  std::atomic<std::uint64_t> last_turn_ms;
  std::thread router_thread;
  std::thread committer_thread;
};

// --- I/O threads ---------------------------------------------------------------------------------

void Pipeline::Impl::open(const channel::ConnectionPtr& connection) {
  const UnixMillis now = parts.clock();
  {
    const std::lock_guard lock(handshake_mutex);
    if (!handshake_limit.allow(channel::census_key(connection->peer_address()), now)) {
      ++parts.metrics->handshakes_limited;
      return connection->close(name(Errc::rate_limited));
    }
  }
  ++parts.metrics->handshakes_started;
  ++parts.metrics->connections;
  handshake::ServerTerms terms;
  terms.idle_ms = static_cast<std::uint32_t>(config.idle_ms);
  links.add(std::make_shared<Link>(connection, ++last_connection, now, *parts.key, terms,
                                   *parts.random, config.verification));
}

void Pipeline::Impl::receive(const LinkPtr& link, ByteSpan frame) {
  Doorway& door = link->door;
  ++parts.metrics->frames_received;
  auto ingressed = ingress(door, frame, parts.clock());
  if (!ingressed) {
    ++parts.metrics->frames_refused;
    parts.log->write(LogLevel::info, "frame refused: " + std::string(name(ingressed.error().code)) +
                                         " " + ingressed.error().detail);
    const bool handshaking = door.state != Doorway::State::proven;
    door.state = Doorway::State::closed;
    if (!handshaking) return inbox.push_always(Failed{link->id, std::move(ingressed).error()});
    ++parts.metrics->handshakes_failed;
    static_cast<void>(link->connection->send(frames::close(wire_code(ingressed.error().code))));
    return link->connection->close(name(ingressed.error().code));
  }
  if (ingressed->answer) static_cast<void>(link->connection->send(std::move(*ingressed->answer)));
  if (!ingressed->event) return;
  if (std::holds_alternative<PeerProven>(*ingressed->event)) link->proven = true;
  enqueue(link, std::move(*ingressed->event), frame.size());
}

void Pipeline::Impl::enqueue(const LinkPtr& link, Event event, std::size_t frame_bytes) {
  const std::size_t bytes = frame_bytes + kEventOverheadBytes;
  const std::size_t queued = link->queued_bytes += bytes;
  if (queued <= config.queued_bytes_per_connection_max && inbox.push(std::move(event), bytes))
    return;
  ++parts.metrics->overloads;
  link->door.state = Doorway::State::closed;
  inbox.push_always(Failed{link->id, {Errc::overloaded, "too much waits for the router"}});
}

// --- router thread -------------------------------------------------------------------------------

void Pipeline::Impl::run_router() {
  while (!stopping) {
    const bool room = !router->full();
    const bool more_to_do = router->busy() || (room && !waiting.empty());
    turn(inbox.wait(more_to_do ? Clock::now() : next_tick, room && waiting.empty()));
  }
}

void Pipeline::Impl::turn(Post post) {
  const UnixMillis now = parts.clock();
  last_turn_ms = now.value;
  stopping = post.stop;
  if (post.config) router->reload(std::move(*post.config));
  for (Post::Item& item : post.events)
    waiting.push_back(std::move(item));

  std::vector<Event> flow;
  for (const ConnectionId id : post.writable)
    if (const LinkPtr link = links.find(id); link && link->flush())
      flow.push_back(FlowChanged{id, false});
  if (!flow.empty()) router->on_events(flow, now);

  if (post.committed) router->on_committed(std::move(*post.committed), now);
  decide_some();
  if (Clock::now() >= next_tick) {
    next_tick = Clock::now() + kTick;
    router->on_timer(now);
    close_late_handshakes(now);
    parts.metrics->queued_events = static_cast<std::int64_t>(inbox.events());
    parts.metrics->queued_bytes = static_cast<std::int64_t>(inbox.bytes());
  }
  if (router->busy()) router->pump(now);
  if (auto taken = router->take_batch()) hand_over(std::move(*taken));
  router_healthy = router->healthy();  // before anybody is told
  dispatch();

  if (router->drained()) {
    const std::lock_guard lock(drained_mutex);
    drained = true;
    drained_changed.notify_all();
  }
}

void Pipeline::Impl::decide_some() {
  std::vector<Event> events;
  while (!waiting.empty() && !router->full()) {
    events.clear();
    std::size_t bytes = 0;
    while (!waiting.empty() && events.size() < kEventsPerStep) {
      Post::Item& item = waiting.front();
      bytes += item.bytes;
      std::visit(
          [&](const auto& what) {
            if constexpr (requires { what.connection; })
              if (const LinkPtr link = item.bytes == 0 ? nullptr : links.find(what.connection))
                link->queued_bytes -= item.bytes;
          },
          item.event);
      events.push_back(std::move(item.event));
      waiting.pop_front();
    }
    inbox.done(events.size(), bytes);
    router->on_events(events, parts.clock());
  }
}

void Pipeline::Impl::dispatch() {
  std::vector<Event> flow;
  for (Output& output : router->take_outputs()) {
    if (auto* close = std::get_if<CloseConnection>(&output)) {
      if (const LinkPtr link = links.find(close->connection)) {
        parts.log->write(LogLevel::info, "session ends: " + std::string(name(close->why.code)) +
                                             " " + close->why.detail);
        link->close(close->why.code);
      }
      continue;
    }
    auto* ready = std::get_if<SendReady>(&output);
    auto* send = std::get_if<SendFrame>(&output);
    const ConnectionId id = ready != nullptr ? ready->connection : send->connection;
    const LinkPtr link = links.find(id);
    if (!link) continue;
    if (ready != nullptr) {
      link->door.ready.store(true, std::memory_order_release);
      link->connection->promote();
    }
    const bool waited = !link->outbox.empty();
    switch (link->send(std::move(ready != nullptr ? ready->frame : send->frame),
                       config.outbox_bytes_max)) {
      case Link::Sent::taken:
        break;
      case Link::Sent::waits:
        if (!waited) flow.push_back(FlowChanged{id, true});
        break;
      case Link::Sent::overflow:
        ++parts.metrics->overloads;
        flow.push_back(Failed{id, {Errc::overloaded, "the peer does not read"}});
        break;
    }
  }
  if (flow.empty()) return;
  router->on_events(flow, parts.clock());
  dispatch();
}

void Pipeline::Impl::close_late_handshakes(UnixMillis now) {
  if (now.value < config.handshake_ms) return;
  for (const LinkPtr& link : links.unproven(now - config.handshake_ms, now + config.handshake_ms)) {
    ++parts.metrics->handshakes_failed;
    static_cast<void>(link->connection->send(frames::close(wire_code(Errc::handshake_timeout))));
    link->connection->close(name(Errc::handshake_timeout));
  }
}

void Pipeline::Impl::hand_over(Batch taken) {
  const std::lock_guard lock(batch_mutex);
  batch = std::move(taken);
  batch_ready.notify_one();
}

// --- committer thread ----------------------------------------------------------------------------

void Pipeline::Impl::run_committer() {
  for (;;) {
    std::unique_lock lock(batch_mutex);
    batch_ready.wait(lock, [this] { return batch || committer_stops; });
    if (!batch) return;
    Batch taken = std::move(*batch);
    batch.reset();
    lock.unlock();
    const auto before = Clock::now();
    Committed committed = commit(*parts.store, *parts.key, incarnation, parts.clock(),
                                 *parts.metrics, std::move(taken));
    parts.metrics->commit_microseconds += static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - before).count());
    inbox.push_committed(std::move(committed));
  }
}

// --- Pipeline ------------------------------------------------------------------------------------

Pipeline::Pipeline(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Pipeline>> Pipeline::start(RouterConfig config, PipelineParts parts) {
  SW_TRY(auto router,
         Router::create(config, {parts.key, parts.store, parts.random, parts.metrics, parts.log},
                        parts.clock()));
  const BrokerIncarnation incarnation = router->incarnation();
  auto impl =
      std::make_unique<Impl>(std::move(config), std::move(parts), std::move(router), incarnation);
  impl->router_thread = std::thread([raw = impl.get()] { raw->run_router(); });
  impl->committer_thread = std::thread([raw = impl.get()] { raw->run_committer(); });
  return std::unique_ptr<Pipeline>(new Pipeline(std::move(impl)));
}

Pipeline::~Pipeline() {
  impl_->inbox.stop();
  impl_->router_thread.join();
  {
    const std::lock_guard lock(impl_->batch_mutex);
    impl_->committer_stops = true;
    impl_->batch_ready.notify_one();
  }
  impl_->committer_thread.join();
}

void Pipeline::on_open(const channel::ConnectionPtr& connection) {
  impl_->open(connection);
}

void Pipeline::on_bytes(const channel::ConnectionPtr& connection, ByteSpan frame) {
  if (const LinkPtr link = impl_->links.find(connection.get())) impl_->receive(link, frame);
}

void Pipeline::on_writable(const channel::ConnectionPtr& connection) {
  if (const LinkPtr link = impl_->links.find(connection.get()))
    impl_->inbox.push_writable(link->id);
}

void Pipeline::on_close(const channel::ConnectionPtr& connection, const Error&) {
  const LinkPtr link = connection ? impl_->links.remove(connection.get()) : nullptr;
  if (!link) return;
  --impl_->parts.metrics->connections;
  if (link->proven) impl_->inbox.push_always(Left{link->id});
}

bool Pipeline::drain(std::chrono::milliseconds deadline) {
  impl_->inbox.push_always(DrainRequested{});
  std::unique_lock lock(impl_->drained_mutex);
  return impl_->drained_changed.wait_for(lock, deadline, [this] { return impl_->drained; });
}

void Pipeline::reload(RouterConfig config) {
  {
    const std::lock_guard lock(impl_->handshake_mutex);
    impl_->handshake_limit = HandshakeLimit(config.handshakes, config.handshake_addresses_max);
  }
  impl_->inbox.push_config(std::move(config));
}

bool Pipeline::healthy() const {
  const std::uint64_t now = impl_->parts.clock().value;
  return impl_->router_healthy && now < impl_->last_turn_ms + kStalledMs;
}

}  // namespace sealwire::broker
