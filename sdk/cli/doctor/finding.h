// What `sealwire doctor` says of one thing.
#pragma once

#include <string>
#include <vector>

namespace sealwire::cli {

enum class Health : unsigned char {
  ok,
  note,     // cannot be had or seen here; nothing promises it
  warning,  // could be better
  bad,      // something promised is missing
};

struct Finding {
  std::string check;
  Health health = Health::ok;
  std::string detail;
  std::string next;  // what to do, where it is not ok
};
using Findings = std::vector<Finding>;

/// Room for a verdict that both sides of a condition share a check and a detail with.
inline Finding finding(std::string check, bool good, std::string detail, std::string next,
                       Health otherwise = Health::bad) {
  return {std::move(check), good ? Health::ok : otherwise, std::move(detail),
          good ? std::string() : std::move(next)};
}

}  // namespace sealwire::cli
