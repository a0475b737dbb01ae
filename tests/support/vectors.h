// Test vectors of others. They are not part of the project: tests read them where they lie and say
// aloud when they are not there; where CI=true that is a failure.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace sealwire::test {

/// `$SEALWIRE_VECTORS`, or `shared/vectors` beside the checkout.
inline std::filesystem::path vectors_folder() {
  if (const char* folder = std::getenv("SEALWIRE_VECTORS")) return folder;
  return std::filesystem::path(SEALWIRE_SOURCE_DIR).parent_path() / "shared" / "vectors";
}

inline std::optional<nlohmann::json> load_vectors(const std::string& file) {
  std::ifstream stream(vectors_folder() / file);
  if (!stream) {
    std::cout << "NOT CHECKED: " << file << " is not there (SEALWIRE_VECTORS names the folder)\n";
    const char* ci = std::getenv("CI");
    EXPECT_FALSE(ci != nullptr && std::string(ci) == "true") << file << " is missing in CI";
    return std::nullopt;
  }
  return nlohmann::json::parse(stream);
}

}  // namespace sealwire::test
