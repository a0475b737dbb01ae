// The development broker: a sealwired of our own on loopback, with open admission.
#pragma once

#include <filesystem>
#include <optional>

#include "sdk/cli/failure.h"
#include "sdk/cli/up/child.h"

namespace sealwire::cli {

class BrokerProcess {
 public:
  /// Makes keys below `folder` unless they are there, starts sealwired, and waits until it says
  /// that it is ready. Fails with file_failed (no sealwired), or with what sealwired said.
  static Outcome<BrokerProcess> start(const std::filesystem::path& folder);

  const std::string& key() const { return key_; }              ///< 64 hex digits
  const std::string& websocket() const { return websocket_; }  ///< wss://127.0.0.1:PORT
  const std::string& zeromq() const { return zeromq_; }        ///< tcp://…?curve=…
  std::filesystem::path log_file() const { return folder_ / "log"; }
  std::filesystem::path folder() const { return folder_; }
  /// Why it is not there any more.
  std::optional<Failure> failed();
  /// Lets it finish what is under way.
  void stop() { child_.stop(std::chrono::seconds(15)); }

 private:
  BrokerProcess(std::filesystem::path folder, Child child)
      : folder_(std::move(folder)), child_(std::move(child)) {}
  Outcome<> wait_ready();
  std::filesystem::path folder_;
  Child child_;
  std::string key_;
  std::string websocket_;
  std::string zeromq_;
};

}  // namespace sealwire::cli
