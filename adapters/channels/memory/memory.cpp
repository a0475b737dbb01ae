#include "adapters/channels/memory/memory.h"

#include <map>

#include "adapters/channels/memory/end.h"
#include "adapters/channels/uri.h"

namespace sealwire::channel {
namespace memory {
namespace {

constexpr std::string_view kScheme = "memory://";

class Listener {
 public:
  Listener(const Endpoint& endpoint, Handler& handler)
      : handler_(handler),
        limits_(endpoint.limits),
        census_(std::make_shared<Census>(limits_.connections, limits_.unproven,
                                         limits_.unproven_per_address)) {}
  ~Listener() { stop(); }

  /// False when this listener takes no further connection.
  bool accept(const std::shared_ptr<End>& dialled) {
    const std::lock_guard lock(mutex_);
    auto place = Place::take(census_, "");
    if (!accepting_ || !place) return false;
    auto end = std::make_shared<End>(handler_, thread_, limits_, std::move(place));
    End::join(end, dialled);
    std::erase_if(ends_, [](const auto& known) { return known.expired(); });
    ends_.push_back(end);
    return true;
  }
  void stop_accepting() {
    const std::lock_guard lock(mutex_);
    accepting_ = false;
  }
  void stop() {
    stop_accepting();
    for (const auto& known : ends_) {
      if (const auto end = known.lock()) end->close("the listener ended");
    }
    thread_->finish();
  }

 private:
  Handler& handler_;
  const Limits limits_;
  const std::shared_ptr<Census> census_;
  const std::shared_ptr<DeliveryThread> thread_ = std::make_shared<DeliveryThread>();
  std::mutex mutex_;
  bool accepting_ = true;
  std::vector<std::weak_ptr<End>> ends_;
};

/// The names that are listened on.
class Names {
 public:
  static Names& get() {
    static Names names;
    return names;
  }
  bool add(const std::string& uri, const std::shared_ptr<Listener>& listener) {
    const std::lock_guard lock(mutex_);
    return listeners_.emplace(uri, listener).second;
  }
  void remove(const std::string& uri) {
    const std::lock_guard lock(mutex_);
    listeners_.erase(uri);
  }
  std::shared_ptr<Listener> find(const std::string& uri) {
    const std::lock_guard lock(mutex_);
    const auto found = listeners_.find(uri);
    return found == listeners_.end() ? nullptr : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Listener>> listeners_;
};

class Listening final : public Running {
 public:
  Listening(std::string uri, std::shared_ptr<Listener> listener)
      : uri_(std::move(uri)), listener_(std::move(listener)) {}
  ~Listening() override {
    Names::get().remove(uri_);
    listener_->stop();
  }
  std::string uri() const override { return uri_; }
  void stop_accepting() override { listener_->stop_accepting(); }

 private:
  const std::string uri_;
  const std::shared_ptr<Listener> listener_;
};

class Dialled final : public Running {
 public:
  Dialled(const Endpoint& endpoint, Handler& handler)
      : uri_(endpoint.uri),
        end_(std::make_shared<End>(handler, thread_, endpoint.limits, Place())) {
    const auto listener = Names::get().find(uri_);
    if (listener && listener->accept(end_)) return;
    thread_->post([&handler, uri = uri_] {
      handler.on_close(nullptr, {Errc::connect_failed, "nobody takes connections at " + uri});
    });
    end_ = nullptr;
  }
  ~Dialled() override {
    if (end_) end_->close("the dialling end went");
    thread_->finish();
  }
  std::string uri() const override { return uri_; }

 private:
  const std::string uri_;
  const std::shared_ptr<DeliveryThread> thread_ = std::make_shared<DeliveryThread>();
  std::shared_ptr<End> end_;
};

Result<> check(const Endpoint& endpoint) {
  SW_CHECK(check_options(endpoint, {}));
  if (endpoint.uri.starts_with(kScheme) && endpoint.uri.size() > kScheme.size()) return {};
  return fail(Errc::address_invalid, "expected memory://name");
}

class MemoryChannel final : public Channel {
 public:
  std::string_view name() const override { return "memory"; }
  std::vector<std::string_view> schemes() const override { return {"memory"}; }
  Capabilities capabilities() const override { return {.binding = false, .native_close = true}; }

  Result<std::unique_ptr<Running>> listen(const Endpoint& endpoint,
                                          Handler& handler) const override {
    SW_CHECK(check(endpoint));
    auto listener = std::make_shared<Listener>(endpoint, handler);
    if (!Names::get().add(endpoint.uri, listener)) {
      return fail(Errc::connect_failed, endpoint.uri + " is taken");
    }
    return std::make_unique<Listening>(endpoint.uri, std::move(listener));
  }
  Result<std::unique_ptr<Running>> dial(const Endpoint& endpoint, Handler& handler) const override {
    SW_CHECK(check(endpoint));
    return std::make_unique<Dialled>(endpoint, handler);
  }
};

}  // namespace
}  // namespace memory

const Channel& memory_channel() {
  static const memory::MemoryChannel channel;
  return channel;
}

}  // namespace sealwire::channel
