#include "conformance/runner/report.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "conformance/runner/requirements.h"

namespace conformance {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kSummaryLabel = "sealwire/0 conformance summary";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

std::string sentence_of(const Case& one) {
  const auto found = requirements().find(one.requirement());
  return found == requirements().end() ? std::string() : found->second;
}

Json counts(const Campaign& campaign) {
  Json out;
  for (const Verdict verdict : {Verdict::pass, Verdict::fail, Verdict::non_strict,
                                Verdict::not_applicable, Verdict::not_run})
    out[name_of(verdict)] = campaign.count(verdict);
  return out;
}

std::string target_of(const Settings& settings) {
  if (!settings.adapter_command.empty()) return "adapter " + settings.adapter_command;
  return settings.agent_command.empty() ? "broker " + hex(settings.broker_key)
                                        : "agent " + settings.agent_command;
}

std::string level_of(Level level) {
  return level == Level::must ? "MUST" : level == Level::should ? "SHOULD" : "MAY";
}

}  // namespace

std::string junit(const Campaign& campaign) {
  std::ostringstream out;
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"sealwire-conformance\" "
         "tests=\""
      << campaign.outcomes.size() << "\" failures=\"" << campaign.count(Verdict::fail)
      << "\" errors=\"" << campaign.count(Verdict::not_run) << "\" skipped=\""
      << campaign.count(Verdict::not_applicable) << "\" time=\"" << campaign.seconds << "\">\n";
  for (const Outcome& o : campaign.outcomes) {
    out << "  <testcase classname=\"" << o.of->requirement() << "\" name=\"" << escaped(o.name)
        << "\" time=\"" << o.seconds << "\">";
    const std::string detail = escaped(o.detail);
    if (o.verdict == Verdict::fail) out << "<failure message=\"" << detail << "\"/>";
    if (o.verdict == Verdict::not_run) out << "<error message=\"" << detail << "\"/>";
    if (o.verdict == Verdict::not_applicable) out << "<skipped message=\"" << detail << "\"/>";
    if (o.verdict == Verdict::non_strict)
      out << "<system-out>non-strict: " << detail << "</system-out>";
    out << "</testcase>\n";
  }
  out << "</testsuite>\n";
  return out.str();
}

std::string json(const Campaign& campaign, const Settings& settings) {
  Json out{{"suite", "sealwire-conformance " CONFORMANCE_VERSION}, {"wire", "sealwire/0"}};
  out["target"] = target_of(settings);
  for (const auto* endpoint : {&settings.websocket, &settings.zeromq})
    if (*endpoint) out["endpoints"].push_back((*endpoint)->text);
  out["seconds"] = campaign.seconds;
  out["counts"] = counts(campaign);
  out["good"] = campaign.good();
  out["unexpectedly_passed"] = campaign.pleasant_surprises();
  for (const Outcome& o : campaign.outcomes) {
    Json one{{"name", o.name},
             {"requirement", o.of->requirement()},
             {"level", level_of(o.of->level)},
             {"profile", o.of->profile},
             {"sentence", sentence_of(*o.of)},
             {"steps", o.of->steps},
             {"expects", o.of->expects},
             {"verdict", name_of(o.verdict)},
             {"detail", o.detail},
             {"seconds", o.seconds}};
    for (const TraceLine& line : o.trace)
      one["trace"].push_back({{"ms", line.at_ms}, {"text", line.text}});
    out["cases"].push_back(std::move(one));
  }
  return out.dump(1);
}

std::string html(const std::string& json_report) {
  const Json report = Json::parse(json_report);
  std::ostringstream out;
  out << "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sealwire "
         "conformance</title>"
         "<style>body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
         "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid "
         "#ddd;padding:.3em;"
         "text-align:left;vertical-align:top}pre{background:#f6f6f6;padding:.5em;white-space:pre-"
         "wrap;"
         "overflow-wrap:anywhere}.pass{color:#070}.fail,.not-run{color:#b00;font-weight:bold}"
         ".non-strict{color:#a60}.not-applicable{color:#777}</style><h1>Sealwire "
         "conformance</h1><p>"
      << escaped(report["suite"].get<std::string>()) << ", " << report["seconds"]
      << " s. Target: <code>" << escaped(report["target"].get<std::string>()) << "</code>.</p><p>";
  for (const auto& [verdict, count] : report["counts"].items())
    out << escaped(verdict) << ": <b>" << count << "</b> &nbsp; ";
  out << "</p><table><tr><th>case</th><th>verdict</th><th>what is done, and what must "
         "come</th><th>s</th></tr>";
  for (const Json& one : report["cases"]) {
    std::string style = one["verdict"];
    std::replace(style.begin(), style.end(), ' ', '-');
    out << "<tr><td><code>" << escaped(one["name"].get<std::string>()) << "</code></td><td class=\""
        << style << "\">" << one["verdict"].get<std::string>() << "</td><td>";
    if (!one["sentence"].get<std::string>().empty())
      out << "<i>" << escaped(one["sentence"].get<std::string>()) << "</i><br>";
    out << escaped(one["steps"].get<std::string>()) << " &rarr; <b>"
        << escaped(one["expects"].get<std::string>()) << "</b>";
    if (!one["detail"].get<std::string>().empty())
      out << "<br>" << escaped(one["detail"].get<std::string>());
    if (one.contains("trace")) {
      out << "<pre>";
      for (const Json& line : one["trace"])
        out << line["ms"] << " ms " << escaped(line["text"].get<std::string>()) << "\n";
      out << "</pre>";
    }
    out << "</td><td>" << static_cast<int>(one["seconds"].get<double>() * 1000) / 1000.0
        << "</td></tr>";
  }
  out << "</table></html>\n";
  return out.str();
}

std::string signed_summary(const Campaign& campaign, const Settings& settings, View seed) {
  const Json summary{{"suite", "sealwire-conformance " CONFORMANCE_VERSION},
                     {"wire", "sealwire/0"},
                     {"target", target_of(settings)},
                     {"counts", counts(campaign)},
                     {"good", campaign.good()},
                     {"report_hash", hex(hash(bytes_of(json(campaign, settings))))},
                     {"at_ms", now_ms()}};
  const std::string text = summary.dump();
  return Json{{"summary", text},
              {"key", hex(public_key(seed))},
              {"signature", hex(sign(seed, labelled(kSummaryLabel, {bytes_of(text)})))}}
             .dump(1) +
         "\n";
}

std::string check_summary(const std::string& summary) {
  const Json read = Json::parse(summary, nullptr, false);
  if (!read.is_object() || !read.contains("summary") || !read.contains("key") ||
      !read.contains("signature"))
    return "not a signed summary";
  const bool holds = verify(unhex(read["key"].get<std::string>()),
                            labelled(kSummaryLabel, {bytes_of(read["summary"].get<std::string>())}),
                            unhex(read["signature"].get<std::string>()));
  return holds ? "" : "the signature does not hold";
}

}  // namespace conformance
