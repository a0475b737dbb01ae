// What is written of a campaign, for people and for machines.
#pragma once

#include "conformance/runner/campaign.h"

namespace conformance {

std::string junit(const Campaign& campaign);
std::string json(const Campaign& campaign, const Settings& settings);
/// From what json() wrote: each requirement's cases, and the wire trace of what failed.
std::string html(const std::string& json_report);
/// Counts and the report's hash, signed by the tester's key: `sealwire-conformance verify` reads
/// it.
std::string signed_summary(const Campaign& campaign, const Settings& settings, View seed);
/// Empty when the summary is what its key signed.
std::string check_summary(const std::string& summary);

}  // namespace conformance
