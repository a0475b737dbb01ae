// The requirements, as the published text has them.
#pragma once

#include <map>
#include <string>

namespace conformance {

/// Id to sentence, of every requirement of SPEC.md.
const std::map<std::string, std::string>& requirements();
/// Id to the reason why no case shows it.
const std::map<std::string, std::string>& exceptions();
/// The traceability table, and what is wrong with it: a requirement without a case or reason, a
/// case or reason without a requirement, a reason for what has a case.
std::string traceability(std::string& problems);

}  // namespace conformance
