#include "adapters/bridges/process/doors.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sealwire::bridge {
namespace {

constexpr int kOpenMs = 5000;

bool bring_up_loopback() {
  const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP;
  const bool up = any >= 0 && ::ioctl(any, SIOCSIFFLAGS, &request) == 0;
  const int error = errno;
  ::close(any);
  errno = error;
  return up;
}

int listen_on(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
      ::listen(listener, 8) != 0)
    return -1;
  return listener;
}

// One message with all descriptors in it.
struct Message {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDoors * sizeof(int))> room{};
  msghdr header{};
  explicit Message(std::size_t count) {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = room.data();
    header.msg_controllen = CMSG_SPACE(count * sizeof(int));
  }
};

}  // namespace

Result<Doors> Doors::make(std::size_t count) {
  int ends[2];
  if (count > kDoors || ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(Errc::file_failed, count > kDoors ? "more than 8 tunnels" : std::strerror(errno));
  return Doors(count, ends[0], ends[1]);
}

Doors::Doors(Doors&& other) noexcept
    : count_(other.count_),
      here_(std::exchange(other.here_, -1)),
      there_(std::exchange(other.there_, -1)) {}

Doors& Doors::operator=(Doors&& other) noexcept {
  std::swap(count_, other.count_);
  std::swap(here_, other.here_);
  std::swap(there_, other.there_);
  return *this;
}

Doors::~Doors() {
  if (here_ >= 0) ::close(here_);
  if (there_ >= 0) ::close(there_);
}

bool Doors::open() const {
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) != 0 || !bring_up_loopback())
    return false;
  std::array<int, kDoors> listeners{};
  for (std::size_t i = 0; i < count_; ++i)
    if ((listeners.at(i) = listen_on(static_cast<std::uint16_t>(kFirstDoor + i))) < 0) return false;
  Message message(count_);
  cmsghdr* rights = CMSG_FIRSTHDR(&message.header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(count_ * sizeof(int));
  std::memcpy(CMSG_DATA(rights), listeners.data(), count_ * sizeof(int));
  return ::sendmsg(there_, &message.header, 0) == 1;
}

Result<std::vector<int>> Doors::take() {
  pollfd ready{here_, POLLIN, 0};
  Message message(count_);
  if (::poll(&ready, 1, kOpenMs) != 1 || ::recvmsg(here_, &message.header, MSG_CMSG_CLOEXEC) != 1)
    return fail(Errc::file_failed, "the bridge opened no doors");
  const cmsghdr* rights = CMSG_FIRSTHDR(&message.header);
  if (rights == nullptr || rights->cmsg_len != CMSG_LEN(count_ * sizeof(int)))
    return fail(Errc::file_failed, "the bridge opened too few doors");
  std::vector<int> listeners(count_);
  std::memcpy(listeners.data(), CMSG_DATA(rights), count_ * sizeof(int));
  return listeners;
}

}  // namespace sealwire::bridge
