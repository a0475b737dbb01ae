// A TCP proxy before ports of this machine that behaves as a bad network does.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sealwire::test {

/// Any thread. What a partition holds up passes when it heals, as TCP would send it again.
class Proxy {
 public:
  static constexpr const char* kAddress = "127.0.0.2";

  /// Listens on the same ports of kAddress as the broker does on 127.0.0.1: one of its channels may
  /// send its client to another port of the same host.
  Proxy(const std::vector<std::uint16_t>& ports, std::uint64_t seed);
  ~Proxy();
  Proxy(const Proxy&) = delete;

  /// Each piece waits a random time up to `most`; their order stays.
  void delay(std::chrono::milliseconds most);
  /// While it is on nothing passes, in either direction or on a new connection.
  void partition(bool on);
  /// Every connection ends at once, on both sides.
  void reset();
  /// Connections that were reset so far.
  std::uint64_t resets() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealwire::test
