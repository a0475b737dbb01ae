// A certificate for this run of the tests, in a directory that goes with it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "adapters/channels/websocket/certificate.h"

namespace sealwire::channel::contract {

struct TestCertificate {
  std::filesystem::path directory;
  std::string certificate_file;
  std::string private_key_file;

  TestCertificate() {
    auto pattern = (std::filesystem::temp_directory_path() / "sealwire-tls-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
    certificate_file = directory / "certificate.pem";
    private_key_file = directory / "private_key.pem";
    renew();
  }
  ~TestCertificate() { std::filesystem::remove_all(directory); }

  void renew() const {
    const auto made = make_self_signed(certificate_file, private_key_file);
    if (!made) ADD_FAILURE() << made.error().detail;
  }
};

inline const TestCertificate& test_certificate() {
  static const TestCertificate certificate;
  return certificate;
}

}  // namespace sealwire::channel::contract
