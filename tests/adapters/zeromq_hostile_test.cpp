// What a peer that speaks ZMTP, but not WIRE.md, or not with the right key, gets.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <zmq.hpp>

#include "adapters/channels/contract_recorder.h"
#include "adapters/channels/uri.h"
#include "adapters/channels/zeromq/curve.h"
#include "adapters/channels/zeromq/wire.h"
#include "adapters/channels/zeromq/zeromq.h"
#include "tests/adapters/raw_socket.h"

namespace sealwire::channel::contract {
namespace {

using zeromq::CurveKeys;
using zeromq::Kind;
using Parts = std::vector<std::string>;

const std::string kSecret(64, '7');
const std::string kVersion(zeromq::kVersion);

std::string kind(Kind it) {
  return {static_cast<char>(it)};
}

// A DEALER that says what the test wants.
class RawDealer {
 public:
  RawDealer(zmq::context_t& context, const std::string& to, const zeromq::CurveKey& server,
            const CurveKeys& keys)
      : socket_(context, zmq::socket_type::dealer), monitor_(context, zmq::socket_type::pair) {
    static std::atomic<int> count = 0;
    const auto address = "inproc://monitor-" + std::to_string(++count);
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::sndtimeo, 2000);
    socket_.set(zmq::sockopt::reconnect_ivl, -1);
    socket_.set(zmq::sockopt::curve_serverkey, zmq::buffer(server.data(), 32));
    socket_.set(zmq::sockopt::curve_publickey, zmq::buffer(keys.public_key.data(), 32));
    socket_.set(zmq::sockopt::curve_secretkey, zmq::buffer(keys.secret_key.data(), 32));
    zmq_socket_monitor(socket_.handle(), address.c_str(),
                       ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    monitor_.connect(address);
    socket_.connect(to);
  }
  RawDealer(RawDealer&&) = default;
  ~RawDealer() { zmq_socket_monitor(socket_.handle(), nullptr, 0); }

  void send(const Parts& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      socket_.send(zmq::buffer(parts[i]),
                   i + 1 < parts.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
  }
  /// Empty when nothing comes within `patience_ms`.
  Parts receive(int patience_ms = 10000) {
    Parts parts;
    socket_.set(zmq::sockopt::rcvtimeo, patience_ms);
    zmq::message_t part;
    do {
      if (!socket_.recv(part)) return {};
      parts.push_back(part.to_string());
    } while (part.more());
    return parts;
  }
  /// Whether the CURVE handshake succeeded.
  bool handshake_succeeds() {
    monitor_.set(zmq::sockopt::rcvtimeo, 10000);
    zmq::message_t event, address;
    if (!monitor_.recv(event) || !monitor_.recv(address)) return false;
    std::uint16_t code = 0;
    std::memcpy(&code, event.data(), sizeof code);
    return code == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
  }

 private:
  zmq::socket_t socket_;
  zmq::socket_t monitor_;
};

class ZeroMqHostile : public testing::Test {
 protected:
  void SetUp() override {
    Endpoint endpoint;
    endpoint.uri = "tcp://127.0.0.1:0";
    endpoint.options = {{"curve_secret", kSecret}};
    endpoint.limits.handshake_ms = 2000;
    auto running = zeromq_channel().listen(endpoint, recorder_);
    ASSERT_TRUE(running.has_value()) << running.error().detail;
    running_ = std::move(*running);
    const auto uri = parse_uri(running_->uri());
    door_port_ = uri->port;
    server_key_ = *zeromq::curve_key_from_hex(uri->query.at("curve"));
  }

  RawDealer dealer(std::uint16_t port, const CurveKeys& keys) {
    return {context_, "tcp://127.0.0.1:" + std::to_string(port), server_key_, keys};
  }
  RawDealer open_dealer(const CurveKeys& keys) {
    const auto before = recorder_.opened();
    auto door = dealer(door_port_, keys);
    door.send({kind(Kind::open), kVersion});
    EXPECT_EQ(door.receive(), (Parts{kind(Kind::open), kVersion}));
    recorder_.wait_open(before + 1);
    return door;
  }
  // Promotes the last connection; its dialler learns the data port and a token.
  std::string promote(RawDealer& door) {
    recorder_.wait_open(recorder_.opened())->promote();
    const auto move = door.receive();
    EXPECT_EQ(move.at(0), kind(Kind::move));
    EXPECT_EQ(move.at(1).size(), 18u);
    data_port_ = static_cast<std::uint16_t>(static_cast<std::uint8_t>(move.at(1)[0]) << 8 |
                                            static_cast<std::uint8_t>(move.at(1)[1]));
    return move.at(1).substr(2);
  }
  void expect_served() {
    Recorder recorder;
    Endpoint endpoint;
    endpoint.uri = running_->uri();
    const auto before = recorder_.opened();
    const auto dialled = zeromq_channel().dial(endpoint, recorder);
    ASSERT_TRUE(dialled.has_value());
    ASSERT_EQ(send(recorder.wait_open(), {1, 2}), Sent::taken);
    EXPECT_EQ(recorder_.wait_frames(recorder_.wait_open(before + 1), 1).size(), 1u);
  }

  zmq::context_t context_;
  Recorder recorder_;
  std::unique_ptr<Running> running_;
  zeromq::CurveKey server_key_{};
  std::uint16_t door_port_ = 0;
  std::uint16_t data_port_ = 0;
};

TEST_F(ZeroMqHostile, AKeyThatWasNotProvenGetsNothingAtTheDataPort) {
  const auto keys = CurveKeys::generate();
  auto door = open_dealer(keys);
  const auto token = promote(door);
  auto stranger = dealer(data_port_, CurveKeys::generate());
  stranger.send({kind(Kind::open), token});
  EXPECT_FALSE(stranger.handshake_succeeds());
  EXPECT_TRUE(stranger.receive(100).empty());
  // A proven key, but of another connection: the handshake succeeds, the token is not its own.
  const auto other_keys = CurveKeys::generate();
  auto other_door = open_dealer(other_keys);
  promote(other_door);
  auto thief = dealer(data_port_, other_keys);
  EXPECT_TRUE(thief.handshake_succeeds());
  thief.send({kind(Kind::open), token});
  thief.send({kind(Kind::data), "stolen"});
  EXPECT_TRUE(thief.receive(100).empty());
  // The one to whom it belongs moves, and only what it says is delivered.
  auto data = dealer(data_port_, keys);
  data.send({kind(Kind::open), token});
  door.send({kind(Kind::move), ""});
  EXPECT_EQ(door.receive(), (Parts{kind(Kind::move), ""}));
  EXPECT_EQ(data.receive(), (Parts{kind(Kind::open), kVersion}));
  data.send({kind(Kind::data), "mine"});
  const auto frames = recorder_.wait_frames(recorder_.wait_open(1), 1);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(as_text(frames[0]), "mine");
}

TEST_F(ZeroMqHostile, AClosedConnectionsKeyIsRevokedAtTheDataPort) {
  const auto keys = CurveKeys::generate();
  auto door = open_dealer(keys);
  const auto token = promote(door);
  recorder_.wait_open()->close("revoked");
  recorder_.wait_close(recorder_.wait_open());
  auto data = dealer(data_port_, keys);
  EXPECT_FALSE(data.handshake_succeeds());
}

TEST_F(ZeroMqHostile, ACurveKeyHasOneConnection) {
  const auto keys = CurveKeys::generate();
  auto first = open_dealer(keys);
  auto second = dealer(door_port_, keys);
  second.send({kind(Kind::open), kVersion});
  EXPECT_EQ(second.receive().at(0), kind(Kind::close));
  EXPECT_EQ(recorder_.opened(), 1u);
  first.send({kind(Kind::close), "done"});
  recorder_.wait_close(recorder_.wait_open());
  second.send({kind(Kind::open), kVersion});
  EXPECT_EQ(second.receive().at(0), kind(Kind::open));
}

TEST_F(ZeroMqHostile, MessagesOutsideTheWireFormatEndTheConnectionByName) {
  const std::vector<Parts> messages{
      {kind(Kind::data)},
      {""},
      {kind(Kind::data), "a", "b"},
      {kind(Kind::data) + "x", "two bytes of kind"},
      {"", "no kind"},
      {"\x04", "unknown kind"},
      {"\xff", "unknown kind"},
      {kind(Kind::open), kVersion},
      {kind(Kind::move), ""},
  };
  for (std::size_t i = 0; i < messages.size(); ++i) {
    auto door = open_dealer(CurveKeys::generate());
    door.send(messages[i]);
    EXPECT_EQ(recorder_.wait_close(recorder_.wait_open(i + 1)).code, Errc::frame_malformed) << i;
    EXPECT_EQ(door.receive().at(0), kind(Kind::close)) << i;
  }
  expect_served();
}

TEST_F(ZeroMqHostile, NothingIsTakenFromAPeerThatHasNotOpened) {
  auto door = dealer(door_port_, CurveKeys::generate());
  for (const auto& message : {Parts{kind(Kind::data), "x"}, Parts{kind(Kind::move), ""},
                              Parts{kind(Kind::close), ""}, Parts{"x", "y", "z"}}) {
    door.send(message);
  }
  door.send({kind(Kind::open), "sealwire.1"});
  EXPECT_EQ(door.receive().at(0), kind(Kind::close));
  EXPECT_EQ(recorder_.callbacks(), 0u);
}

TEST_F(ZeroMqHostile, AFrameAfterTheDiallersMoveIsRefusedAtTheDoor) {
  auto door = open_dealer(CurveKeys::generate());
  promote(door);
  door.send({kind(Kind::move), ""});
  door.send({kind(Kind::data), "late"});
  EXPECT_EQ(recorder_.wait_close(recorder_.wait_open()).code, Errc::frame_malformed);
}

TEST_F(ZeroMqHostile, GarbageOnBothPortsIsSurvived) {
  auto door = open_dealer(CurveKeys::generate());
  promote(door);
  std::mt19937 random(1);
  std::vector<std::unique_ptr<RawSocket>> peers;
  for (const auto port : {door_port_, data_port_}) {
    for (int i = 0; i < 8; ++i) {
      std::string garbage(1 + random() % 300, '\0');
      for (auto& byte : garbage)
        byte = static_cast<char>(random());
      // Half of them begin as ZMTP does.
      if (i % 2 == 0) garbage = std::string("\xff\0\0\0\0\0\0\0\x01\x7f\x03", 11) + garbage;
      peers.push_back(std::make_unique<RawSocket>(port));
      peers.back()->send(garbage);
    }
  }
  expect_served();
}

TEST_F(ZeroMqHostile, ASilentTcpPeerIsClosedInTime) {
  RawSocket silent(door_port_);
  const auto took = silent.wait_close();
  EXPECT_GE(took, 0);
  EXPECT_LT(took, 8000);
}

TEST_F(ZeroMqHostile, ADialToAnotherServerKeyFails) {
  Recorder recorder;
  Endpoint endpoint;
  endpoint.uri = "tcp://127.0.0.1:" + std::to_string(door_port_) + "?curve=" + std::string(64, 'b');
  endpoint.limits.handshake_ms = 500;
  const auto dialled = zeromq_channel().dial(endpoint, recorder);
  ASSERT_TRUE(dialled.has_value());
  EXPECT_EQ(recorder.wait_failure().code, Errc::connect_failed);
  EXPECT_EQ(recorder_.opened(), 0u);
}

TEST(ZeroMqDialler, NoticesThatTheListenersTransportBroke) {
  zmq::context_t context;
  auto router = std::make_unique<zmq::socket_t>(context, zmq::socket_type::router);
  router->set(zmq::sockopt::linger, 0);
  router->bind("tcp://127.0.0.1:*");
  Recorder recorder;
  Endpoint endpoint;
  endpoint.uri = router->get(zmq::sockopt::last_endpoint);
  const auto dialled = zeromq_channel().dial(endpoint, recorder);
  ASSERT_TRUE(dialled.has_value());
  zmq::message_t id, part;
  ASSERT_TRUE(router->recv(id) && router->recv(part) && router->recv(part));
  router->send(id, zmq::send_flags::sndmore);
  router->send(zmq::buffer(kind(Kind::open)), zmq::send_flags::sndmore);
  router->send(zmq::buffer(kVersion), zmq::send_flags::none);
  const auto connection = recorder.wait_open();
  router = nullptr;
  EXPECT_EQ(recorder.wait_close(connection).code, Errc::connection_lost);
}

TEST(ZeroMqListener, TakesItsKeyFromAFileAndRefusesAMalformedOne) {
  Recorder recorder;
  const auto path =
      std::filesystem::temp_directory_path() / ("sealwire-curve-" + std::to_string(::getpid()));
  const auto listen = [&](const std::string& text, const std::string& option) {
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms(0600));
    Endpoint endpoint;
    endpoint.uri = "tcp://127.0.0.1:0";
    endpoint.options = {{option, option == "curve_secret" ? text : path.string()}};
    return zeromq_channel().listen(endpoint, recorder);
  };
  const auto from_file = listen(kSecret + "\n", "curve_secret_file");
  ASSERT_TRUE(from_file.has_value()) << from_file.error().detail;
  const auto from_text = listen(kSecret, "curve_secret");
  ASSERT_TRUE(from_text.has_value());
  const auto key_of = [](const auto& running) {
    return parse_uri((*running)->uri())->query.at("curve");
  };
  EXPECT_EQ(key_of(from_file), key_of(from_text));
  for (const auto& text :
       {std::string(), std::string(63, '7'), std::string(65, '7'), std::string(64, 'x')}) {
    for (const auto* option : {"curve_secret", "curve_secret_file"}) {
      const auto refused = listen(text, option);
      ASSERT_FALSE(refused.has_value()) << text << " " << option;
      EXPECT_EQ(refused.error().code, Errc::config_invalid);
    }
  }
  std::ofstream(path) << kSecret;
  std::filesystem::permissions(path, std::filesystem::perms(0640));
  Endpoint open_to_others;
  open_to_others.uri = "tcp://127.0.0.1:0";
  open_to_others.options = {{"curve_secret_file", path.string()}};
  const auto refused = zeromq_channel().listen(open_to_others, recorder);
  ASSERT_FALSE(refused.has_value()) << "a secret that others can read";
  EXPECT_NE(refused.error().detail.find("chmod 600"), std::string::npos) << refused.error().detail;
  std::filesystem::remove(path);
}

TEST(ZeroMqListener, APlaintextListenerIsNotSilentlyMadeFromAMisspeltUri) {
  Recorder recorder;
  for (const auto* uri :
       {"tcp://127.0.0.1:0?curv=00", "tcp://127.0.0.1:0/path", "ipc://127.0.0.1:0"}) {
    Endpoint endpoint;
    endpoint.uri = uri;
    EXPECT_FALSE(zeromq_channel().listen(endpoint, recorder).has_value()) << uri;
    EXPECT_FALSE(zeromq_channel().dial(endpoint, recorder).has_value()) << uri;
  }
}

}  // namespace
}  // namespace sealwire::channel::contract
