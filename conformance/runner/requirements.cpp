#include "conformance/runner/requirements.h"

#include <regex>
#include <set>
#include <sstream>
#include <utility>

#include "conformance/runner/case.h"
#include "conformance/wire/schema_bytes.h"

namespace conformance {
namespace {

std::map<std::string, std::string> read(const unsigned char* text, std::size_t size,
                                        const std::regex& line_form) {
  std::map<std::string, std::string> found;
  std::istringstream lines(std::string(reinterpret_cast<const char*>(text), size));
  std::smatch match;
  for (std::string line; std::getline(lines, line);)
    if (std::regex_match(line, match, line_form)) found[match[1]] = match[2];
  return found;
}

}  // namespace

const std::map<std::string, std::string>& requirements() {
  static const auto found =
      read(kSpec, kSpecSize, std::regex(R"(- \*\*([A-Z0-9]{3}-\d{3})\*\* (.*))"));
  return found;
}

const std::map<std::string, std::string>& exceptions() {
  static const auto found =
      read(kExceptions, kExceptionsSize, std::regex(R"(([A-Z0-9]{3}-\d{3}) +(.*))"));
  return found;
}

std::string traceability(std::string& problems) {
  std::map<std::string, std::set<std::string>> shown;
  std::set<std::string> ids;
  for (const Case& one : all_cases()) {
    if (!ids.insert(one.id).second) problems += one.id + " is the id of two cases\n";
    for (std::string id : one.also) {
      if (!requirements().contains(id)) problems += one.id + " names " + id + ", which is none\n";
      shown[id].insert(one.id);
    }
    const std::string own = one.requirement();
    if (own == "rfc6455" || own == "exploit" || own == "bridge") continue;
    if (!requirements().contains(own)) problems += one.id + " is of no requirement\n";
    shown[own].insert(one.id);
  }
  std::ostringstream table;
  table << "# Traceability\n\nWritten by `sealwire-conformance trace`; `./test conformance` fails "
           "when it is out of date.\n"
           "Every requirement of [SPEC.md](../../protocol/SPEC.md) has a case, or a reason why it "
           "has none.\n\n"
           "| requirement | cases, or why there is none |\n|---|---|\n";
  for (const auto& [id, sentence] : requirements()) {
    table << "| " << id << " | ";
    const auto reason = exceptions().find(id);
    if (shown.contains(id)) {
      if (reason != exceptions().end())
        problems += id + " has a case and a reason for having none\n";
      const char* comma = "";
      for (const std::string& one : shown[id])
        table << std::exchange(comma, ", ") << "`" << one << "`";
    } else if (reason != exceptions().end()) {
      table << "no case: " << reason->second;
    } else {
      problems += id + " has neither a case nor a reason: " + sentence + "\n";
    }
    table << " |\n";
  }
  for (const auto& [id, reason] : exceptions())
    if (!requirements().contains(id)) problems += id + " has a reason and is no requirement\n";
  return table.str();
}

}  // namespace conformance
