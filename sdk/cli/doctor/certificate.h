// Until when a broker's certificate is good.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/error.h"
#include "sdk/cli/doctor/finding.h"

namespace sealwire::cli {

/// Seconds since 1970. Fails with file_failed.
Result<std::int64_t> certificate_end(const std::string& file);

/// The same of what a listener shows to whoever connects. Blocks for 3 s at most. Fails with
/// connect_failed.
Result<std::int64_t> served_certificate_end(const std::string& host, std::uint16_t port);

/// Agents pin the broker's key, not this: an expired one is a warning, and worse only for browsers.
Finding judge_certificate(const std::string& where, const Result<std::int64_t>& end,
                          std::int64_t now_s);

}  // namespace sealwire::cli
