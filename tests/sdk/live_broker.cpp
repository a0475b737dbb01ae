#include "tests/sdk/live_broker.h"

#include <gtest/gtest.h>

#include "protocol/identity/did_key.h"
#include "sdk/cpp/agent/driver.h"

namespace sealwire::test {

LiveBroker::LiveBroker(std::string uri)
    : uri_(std::move(uri)),
      key_([this] {
        crypto::initialise();
        return crypto::SigningKey::generate(random_);
      }()),
      store_(random_.make<BrokerIncarnation>()) {
  start();
}

void LiveBroker::start() {
  broker::RouterConfig config;
  config.admission = broker::Admission::open;
  auto pipeline = broker::Pipeline::start(
      config, {&key_, &store_, &random_, &metrics_, &log_, [] { return wall_clock(); }});
  ASSERT_TRUE(pipeline) << pipeline.error().detail;
  pipeline_ = std::move(*pipeline);
  channel::Endpoint endpoint;
  endpoint.uri = uri_;
  auto listener = channel::find_channel(uri_)->listen(endpoint, *pipeline_);
  ASSERT_TRUE(listener) << listener.error().detail;
  listener_ = std::move(*listener);
  uri_ = listener_->uri();
}

void LiveBroker::stop() {
  listener_.reset();
  pipeline_.reset();
}

std::string LiveBroker::key() const {
  return hex(key_.public_bytes());
}

Options LiveBroker::make_agent(const std::string& name) {
  Context context;
  context.name = name;
  context.endpoints = {{uri_, {}, false}};
  context.broker_key = key();
  const auto written = write_context(home(), context);
  EXPECT_TRUE(written) << written.error().detail;
  EXPECT_TRUE(create_key(*written, ""));
  const std::string home_argument = home();
  const char* arguments[] = {"test", "--home", home_argument.c_str(), "--context", name.c_str()};
  auto options = Options::from_arguments(5, arguments);
  EXPECT_TRUE(options) << options.error().detail;
  return std::move(*options);
}

void introduce(Agent& a, const std::string& name_of_a, Agent& b, const std::string& name_of_b) {
  const auto second = std::chrono::seconds(20);
  ASSERT_TRUE(a.wait_connected(second));
  ASSERT_TRUE(b.wait_connected(second));
  const auto added = a.add_peer(b.id(), name_of_b, second);
  ASSERT_TRUE(added) << added.error().detail;
  ASSERT_TRUE(b.add_peer(a.id(), name_of_a, second));
}

}  // namespace sealwire::test
