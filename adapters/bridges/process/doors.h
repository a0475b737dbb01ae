// The way out of a bridge's own network namespace: listening sockets on its loopback, which is all
// it has, accepted by the host. What stands behind each is the host's matter (tunnel.h).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "protocol/error.h"

namespace sealwire::bridge {

inline constexpr std::uint16_t kFirstDoor = 20'000;  // the port of the first; the next is one more
inline constexpr std::size_t kDoors = 8;

class Doors {
 public:
  /// Before the fork, `count` doors. Fails with file_failed.
  [[nodiscard]] static Result<Doors> make(std::size_t count);
  Doors(Doors&& other) noexcept;
  Doors& operator=(Doors&& other) noexcept;
  Doors(const Doors&) = delete;
  Doors& operator=(const Doors&) = delete;
  ~Doors();

  /// In the child: leaves the network for a namespace of its own and listens there. For good;
  /// async-signal-safe. False, with errno, where that is not permitted.
  bool open() const;
  /// In the parent, after the child has opened them: the listening sockets, which are the caller's.
  [[nodiscard]] Result<std::vector<int>> take();

 private:
  Doors(std::size_t count, int here, int there) : count_(count), here_(here), there_(there) {}
  std::size_t count_;
  int here_, there_;
};

}  // namespace sealwire::bridge
