// A whole broker in this process, in a folder of its own, for tests over real channels.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "broker/init.h"
#include "broker/server.h"
#include "tests/support/raw_client.h"

namespace sealwire::broker {

class TestServer {
 public:
  TestServer() {
    crypto::initialise();
    std::string pattern = (std::filesystem::temp_directory_path() / "sealwire-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    InitOptions options;
    options.folder = folder_;
    options.wss_port = options.zeromq_port = 0;
    options.open_admission = true;
    const auto made = initialise_folder(options, test::system_now(), random_);
    EXPECT_TRUE(made) << made.error().detail;
  }
  ~TestServer() {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  Config config() const {
    const auto file = folder_ / "sealwired.toml";
    auto config = load_config(file);
    EXPECT_TRUE(config) << describe(config.error().front());
    config->http.port = 0;
    return *config;
  }
  void start(const Config& config) {
    auto server = Server::start(config, log_);
    ASSERT_TRUE(server) << server.error().detail;
    server_ = std::move(*server);
  }
  void start() { start(config()); }

  Server& operator*() { return *server_; }
  Server* operator->() { return server_.get(); }
  void stop() { server_.reset(); }
  const std::filesystem::path& folder() const { return folder_; }
  /// The endpoint whose scheme that is.
  std::string endpoint(std::string_view scheme) const {
    for (const auto& uri : server_->endpoints())
      if (uri.starts_with(scheme)) return uri;
    ADD_FAILURE() << "no endpoint " << scheme;
    return {};
  }

 private:
  crypto::SystemRandom random_;
  NullLog log_;
  std::filesystem::path folder_;
  std::unique_ptr<Server> server_;
};

}  // namespace sealwire::broker
