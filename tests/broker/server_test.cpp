// What an operator does with a broker: make its files, start, reload, drain, look at it.
#include "broker/server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "broker/log.h"
#include "broker/metrics_text.h"
#include "protocol/identity/did_key.h"
#include "tests/broker/server_fixture.h"
#include "tests/support/envelopes.h"

namespace sealwire::broker {
namespace {

using test::RawClient;

/// One exchange with the operator's door; the whole response, or "" if there was none.
std::string http(const std::string& url, const std::string& request) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string response;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size())) {
    char buffer[4096];
    for (ssize_t got = 0; (got = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
      response.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(fd);
  return response;
}
std::string get(const std::string& url, const std::string& path,
                const std::string& host = "127.0.0.1", const std::string& method = "GET") {
  return http(url, method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
}
std::string status(const std::string& response) {
  return response.substr(0, response.find("\r\n"));
}

class ServerTest : public ::testing::Test {
 protected:
  crypto::SystemRandom random_;
  TestServer server_;
};

TEST_F(ServerTest, InitWritesSecretsForTheirOwnerAndNeverOverThem) {
  for (const char* name : {"broker.key", "certificate.key", "curve.key"}) {
    const auto permissions = std::filesystem::status(server_.folder() / name).permissions();
    EXPECT_EQ(permissions & std::filesystem::perms::all,
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << name;
  }
  InitOptions options;
  options.folder = server_.folder();
  const auto again = initialise_folder(options, test::system_now(), random_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::key_file_exists);
}

TEST_F(ServerTest, InitsConfigurationIsTheCommentedExampleWithItsOptions) {
  InitOptions options;
  std::ifstream file(SEALWIRE_SOURCE_DIR "/deploy/sealwired.toml");
  const std::string example{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(initial_config(options), example);
  options.host = "::1";
  options.wss_port = 1;
  options.zeromq_port = 2;
  options.http_port = 3;
  options.open_admission = true;
  const auto config = parse_config(initial_config(options), "x.toml");
  ASSERT_TRUE(config) << describe(config.error().front());
  EXPECT_EQ(config->listen[0].uri, "wss://[::1]:1");
  EXPECT_EQ(config->listen[1].uri, "tcp://[::1]:2");
  EXPECT_EQ(config->http.port, 3);
  EXPECT_EQ(config->router.admission, Admission::open);
}

TEST_F(ServerTest, TheEnvironmentIsCheckedWithARemedy) {
  Config config = server_.config();
  EXPECT_TRUE(check_environment(config, "x.toml").empty());
  std::filesystem::permissions(config.key_file, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  config.listen[0].uri = "gopher://127.0.0.1:70";
  config.listen[1].options["curve_secret_file"] = "/nowhere";
  config.store_path = "/nowhere/else/store.db";
  const auto problems = check_environment(config, "x.toml");
  ASSERT_EQ(problems.size(), 4U);
  EXPECT_NE(describe(problems[0]).find("wss://"), std::string::npos);
  EXPECT_NE(describe(problems[1]).find("cannot read /nowhere"), std::string::npos);
  EXPECT_NE(describe(problems[2]).find("chmod 600"), std::string::npos);
  EXPECT_NE(describe(problems[3]).find("/nowhere/else"), std::string::npos);
}

TEST_F(ServerTest, TheCheckReadsThePortOfEachEndpoint) {
  Config config = server_.config();
  config.listen[0].uri = "wss://127.0.0.1:99999";
  const auto problems = check_environment(config, "x.toml");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(describe(problems[0]).find("below 65536"), std::string::npos);
}

TEST_F(ServerTest, TheCheckReadsTheKeyAndDoesNotOnlyFindItsFile) {
  const Config config = server_.config();
  std::ofstream(config.key_file) << "sealwire-key/1 broker\n";
  const auto problems = check_environment(config, "x.toml");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(describe(problems[0]).find("key.file"), std::string::npos);
}

TEST_F(ServerTest, AKeyThatOthersCanReadStopsTheStart) {
  const Config config = server_.config();
  std::filesystem::permissions(config.key_file, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  NullLog log;
  const auto server = Server::start(config, log);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Errc::key_file_permissions);
}

TEST_F(ServerTest, TwoBrokersNeverShareAStore) {
  ASSERT_NO_FATAL_FAILURE(server_.start());
  NullLog log;
  const auto second = Server::start(server_.config(), log);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::state_locked);
  EXPECT_NE(second.error().detail.find(std::to_string(::getpid())), std::string::npos);
}

TEST_F(ServerTest, DrainTellsEverySessionAndKeepsWhatWasAccepted) {
  ASSERT_NO_FATAL_FAILURE(server_.start());
  const auto agent = test::make_raw_agent(random_);
  RawClient client;
  ASSERT_TRUE(client.connect(server_.endpoint("wss"), agent, random_));
  ASSERT_TRUE(client.allow(test::make_raw_agent(random_).identity.agent));
  EXPECT_TRUE(server_->stop(std::chrono::seconds(10)));
  const auto frame = client.next();
  ASSERT_TRUE(frame);
  const auto parsed = Frame::parse(*frame, limits::kFrameBytes);
  ASSERT_EQ(parsed->type(), wire::Body::Close);
  EXPECT_EQ(parsed->as<wire::Close>()->code(), wire::Code::closing);

  server_.stop();
  Config invite_only = server_.config();
  invite_only.router.admission = Admission::invite;
  ASSERT_NO_FATAL_FAILURE(server_.start(invite_only));
  RawClient again;
  EXPECT_TRUE(again.connect(server_.endpoint("wss"), agent, random_)) << "known from before";
}

TEST_F(ServerTest, ReloadTakesOverTheAdmissionList) {
  Config config = server_.config();
  config.router.admission = Admission::invite;
  ASSERT_NO_FATAL_FAILURE(server_.start(config));
  const auto agent = test::make_raw_agent(random_);
  RawClient before;
  EXPECT_FALSE(before.connect(server_.endpoint("wss"), agent, random_));
  config.router.admitted.insert(agent.identity.agent);
  ASSERT_TRUE(server_->reload(config));
  RawClient after;
  EXPECT_TRUE(after.connect(server_.endpoint("wss"), agent, random_));
}

TEST_F(ServerTest, TheOperatorsDoorTellsStateAndNothingElse) {
  ASSERT_NO_FATAL_FAILURE(server_.start());
  const std::string url = server_->http_url();
  EXPECT_EQ(status(get(url, "/livez")), "HTTP/1.1 200 OK");
  EXPECT_EQ(status(get(url, "/readyz")), "HTTP/1.1 200 OK");
  EXPECT_EQ(status(get(url, "/")), "HTTP/1.1 404 Not Found");
  const std::string post = get(url, "/metrics", "127.0.0.1", "POST");
  EXPECT_EQ(status(post), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_NE(post.find("Allow: GET, HEAD"), std::string::npos);
  const std::string head = get(url, "/livez", "localhost", "HEAD");
  EXPECT_EQ(head.substr(head.find("\r\n\r\n")), "\r\n\r\n");
}

TEST_F(ServerTest, TheOperatorsDoorIsNotReadThroughAReboundName) {
  ASSERT_NO_FATAL_FAILURE(server_.start());
  const std::string url = server_->http_url();
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", ""})
    EXPECT_EQ(status(get(url, "/metrics", host)), "HTTP/1.1 421 Misdirected Request") << host;
  EXPECT_EQ(status(get(url, "/metrics", "[::1]:7480")), "HTTP/1.1 200 OK");
}

TEST_F(ServerTest, TheOperatorsDoorBoundsARequest) {
  ASSERT_NO_FATAL_FAILURE(server_.start());
  const std::string url = server_->http_url();
  const std::string large = get(url, "/" + std::string(16 * 1024, 'a'));
  EXPECT_TRUE(large.empty() || status(large) != "HTTP/1.1 200 OK");
  EXPECT_EQ(status(get(url, "/livez")), "HTTP/1.1 200 OK");
}

TEST_F(ServerTest, MetricsNameUnitsAndNoAgent) {
  ASSERT_NO_FATAL_FAILURE(server_.start());
  const auto agent = test::make_raw_agent(random_);
  RawClient client;
  ASSERT_TRUE(client.connect(server_.endpoint("wss"), agent, random_));
  ASSERT_TRUE(client.allow(agent.identity.agent) || true);
  const std::string text = get(server_->http_url(), "/metrics");
  EXPECT_NE(text.find("\nsealwire_sessions_opened_total 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nsealwire_store_commit_seconds_total "), std::string::npos);
  EXPECT_EQ(text.find(hex(agent.identity.agent)), std::string::npos);
  EXPECT_EQ(text.find(agent_text(agent.identity.agent).substr(6)), std::string::npos);
  EXPECT_EQ(text.find(did_key(agent.instance()).substr(8)), std::string::npos);
}

TEST(Log, WhatPeersCanCauseIsBoundedAndTheRestCounted) {
  LineLimit limit;
  std::uint64_t left_out = 0;
  unsigned written = 0;
  for (unsigned i = 0; i < LineLimit::kLinesPerSecond + 50; ++i)
    written += limit.allow({5'000 + i}, left_out) ? 1 : 0;
  EXPECT_EQ(written, LineLimit::kLinesPerSecond);
  EXPECT_EQ(left_out, 0U);
  EXPECT_TRUE(limit.allow({6'000}, left_out));
  EXPECT_EQ(left_out, 50U);
  EXPECT_TRUE(limit.allow({6'001}, left_out));
  EXPECT_EQ(left_out, 0U);
}

TEST(Log, WhatAPeerSentStaysOnItsLine) {
  const std::string evil = "name\n2026-01-01T00:00:00.000Z info    stopped\x1b[2K\xff\"}";
  const std::string text = log_line(LogFormat::text, LogLevel::info, evil, {1'767'225'600'123});
  EXPECT_EQ(text,
            "2026-01-01T00:00:00.123Z info    name\\x0a2026-01-01T00:00:00.000Z info    "
            "stopped\\x1b[2K\\xff\"}");
  const std::string json = log_line(LogFormat::json, LogLevel::error, evil, {0});
  EXPECT_EQ(json,
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\",\"message\":\"name\\n"
            "2026-01-01T00:00:00.000Z info    stopped\\u001b[2K\\ufffd\\\"}\"}");
}

}  // namespace
}  // namespace sealwire::broker
