// One pair of agents on each channel of a sealwired.
#pragma once

#include <filesystem>
#include <thread>

#include "tests/faults/pair.h"
#include "tests/support/sealwired_process.h"

namespace sealwire::test {

/// Both pairs connect; what was accepted arrives. The reason if not.
inline std::string settle(SealwiredProcess& broker, Pair (&pairs)[2]) {
  const char* schemes[] = {"wss", "tcp"};
  for (int i = 0; i < 2; ++i) {
    if (const auto done = pairs[i].connect(broker.endpoint(schemes[i])); !done)
      return std::string(name(done.error().code)) + " " + done.error().detail;
    pairs[i].listen();
  }
  for (Pair& pair : pairs)
    if (!pair.wait_for_delivery())
      return "accepted " + std::to_string(pair.accepted()) + ", received " +
             std::to_string(pair.received()) + " " + pair.error();
  return {};
}

/// Both send for so long, or until they are refused.
inline void load(Pair (&pairs)[2], std::chrono::milliseconds duration) {
  std::vector<std::thread> senders;
  for (Pair& pair : pairs)
    senders.emplace_back([&pair] { pair.run(); });
  std::this_thread::sleep_for(duration);
  for (Pair& pair : pairs)
    pair.stop(true);
  for (auto& sender : senders)
    sender.join();
  for (Pair& pair : pairs)
    pair.stop(false);
}

}  // namespace sealwire::test
