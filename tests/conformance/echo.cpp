// This project's WebSocket channel, sending back what it is sent: for test suites that want an
// echo. usage: websocket_echo listen URI    prints the URI that is bound, and goes on until it is
// killed
//        websocket_echo dial URI      until the other side ends the connection
#include <cstdio>
#include <future>
#include <string>

#include "adapters/channels/registry.h"

namespace sealwire::channel {
namespace {

class Echo final : public Handler {
 public:
  void on_open(const ConnectionPtr& connection) override { connection->promote(); }
  void on_bytes(const ConnectionPtr& connection, ByteSpan frame) override {
    if (connection->send(to_bytes(frame)) == Sent::full) connection->close("too much at a time");
  }
  void on_writable(const ConnectionPtr&) override {}
  void on_close(const ConnectionPtr&, const Error&) override {
    if (once_) ended_.set_value();
    once_ = false;
  }
  void wait() { ended_.get_future().wait(); }

 private:
  std::promise<void> ended_;
  bool once_ = true;
};

int run(const std::string& what, const std::string& uri) {
  const Channel* channel = find_channel(uri);
  if (channel == nullptr) return 2;
  Echo echo;
  Endpoint endpoint;
  endpoint.uri = uri;
  if (what == "dial") {
    const auto running = channel->dial(endpoint, echo);
    if (!running) return 1;
    echo.wait();
    return 0;
  }
  const auto running = channel->listen(endpoint, echo);
  if (!running) {
    std::fprintf(stderr, "%s\n", running.error().detail.c_str());
    return 1;
  }
  std::printf("%s\n", (*running)->uri().c_str());
  std::fflush(stdout);
  std::promise<void>().get_future().wait();
  return 0;
}

}  // namespace
}  // namespace sealwire::channel

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: websocket_echo listen|dial URI\n");
    return 2;
  }
  return sealwire::channel::run(argv[1], argv[2]);
}
