// A broker with its threads on a channel of this machine, for tests of whole agents.
#pragma once

#include <filesystem>

#include "adapters/channels/registry.h"
#include "broker/pipeline.h"
#include "broker/store/memory/memory_store.h"
#include "sealwire/agent.h"
#include "sealwire/context.h"
#include "tests/sdk/net.h"

namespace sealwire::test {

class LiveBroker {
 public:
  /// `uri`: memory://name or ws://127.0.0.1:0.
  explicit LiveBroker(std::string uri);
  ~LiveBroker() { stop(); }
  void start();
  void stop();  // as if it crashed: connections go, the store stays

  std::string uri() const { return uri_; }
  std::string key() const;
  /// A context NAME with a fresh key, pointing here. The options to open it.
  Options make_agent(const std::string& name);
  std::string home() const { return (directory.path / "home").string(); }

  TemporaryDirectory directory;

 private:
  std::string uri_;
  crypto::SystemRandom random_;
  crypto::SigningKey key_;
  broker::MemoryStore store_;
  broker::Metrics metrics_;
  broker::NullLog log_;
  std::unique_ptr<broker::Pipeline> pipeline_;
  std::unique_ptr<channel::Running> listener_;
};

/// Both allow each other, under their contexts' names.
void introduce(Agent& a, const std::string& name_of_a, Agent& b, const std::string& name_of_b);

}  // namespace sealwire::test
