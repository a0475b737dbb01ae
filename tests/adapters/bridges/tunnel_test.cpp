#include "adapters/bridges/process/tunnel.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "adapters/bridges/process/doors.h"
#include "adapters/bridges/process/process.h"

namespace sealwire::bridge {
namespace {

using boost::asio::ip::tcp;

TEST(Tunnel, WhereItLeadsIsSpelledOut) {
  const auto tunnel = parse_tunnel("broker", "tls://mqtt.example:8883?ca=/a&cert=/b").value();
  EXPECT_EQ(tunnel.host, "mqtt.example");
  EXPECT_EQ(tunnel.port, 8883);
  EXPECT_TRUE(tunnel.tls);
  EXPECT_EQ(tunnel.ca_file, "/a");
  EXPECT_EQ(tunnel.cert_file, "/b");
  EXPECT_FALSE(parse_tunnel("broker", "tcp://[::1]:1883").value().tls);
  for (const char* bad : {"", "mqtt.example:1883", "udp://a:1", "tcp://a", "tcp://a:1?ca=/x",
                          "tls://a:1?key=/x", "tls://a:1/path"})
    EXPECT_FALSE(parse_tunnel("broker", bad)) << bad;
}

// A caged bridge reaches what is behind its door, and by no other way anything else: not even what
// listens on the host's own loopback.
TEST(Tunnel, ItIsTheOnlyWayOut) {
  boost::asio::io_context context;
  tcp::acceptor echo(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  tcp::acceptor outside(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  std::thread server([&] {
    tcp::socket socket = echo.accept();
    std::string got(4, '\0');
    boost::asio::read(socket, boost::asio::buffer(got));
    boost::asio::write(socket, boost::asio::buffer("through " + got));
  });

  std::promise<Said> hello, told;
  ProcessOptions options;
  options.command = {"/usr/bin/python3", "-s",
                     SEALWIRE_SOURCE_DIR "/tests/adapters/bridges/tunnelled.py"};
  options.log = [](const std::string& line) { std::cerr << line << "\n"; };
  options.tunnels = {{"door", "127.0.0.1", echo.local_endpoint().port(), false, {}, {}}};
  auto started = start_process(
      options,
      [&](Said said) {
        (std::holds_alternative<Hello>(said) ? hello : told).set_value(std::move(said));
      },
      [&](const Error&) {});
  ASSERT_TRUE(started) << started.error().detail;
  hello.get_future().get();
  (*started)->tell(Start{{{"door", "127.0.0.1:" + std::to_string(kFirstDoor)},
                          {"outside", std::to_string(outside.local_endpoint().port())}}});
  auto future = told.get_future();
  ASSERT_EQ(future.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  const auto said = future.get();
  const auto found = nlohmann::json::parse(as_text(std::get<Receive>(said).content.data));
  server.join();
  EXPECT_EQ(found["door"], "through ping");
  EXPECT_EQ(found["outside"], "ECONNREFUSED");
  EXPECT_EQ(found["far"], "ENETUNREACH");
  for (const char* kind : {"unix", "udp", "raw", "six", "netlink"})
    EXPECT_EQ(found[kind], "EPERM") << kind;
}

}  // namespace
}  // namespace sealwire::bridge
