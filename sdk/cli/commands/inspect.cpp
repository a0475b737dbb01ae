// `sealwire inspect`: what anybody can see and check of an envelope, without any key.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <nlohmann/json.hpp>

#include "protocol/envelope/envelope.h"
#include "protocol/identity/did_key.h"
#include "protocol/limits.h"
#include "sdk/cli/commands/commands.h"
#include "sdk/cli/input.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InspectOptions {
  std::string file = "-";
};

// Raw bytes, or their hex, base64 or base64url text.
Bytes decode_armour(const std::string& input) {
  std::string text;
  for (const char c : input)
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') text += c;
  if (auto bytes = parse_hex(text)) return *bytes;
  if (auto bytes = parse_base64url(text)) return *bytes;
  if (auto bytes = parse_base64(text)) return *bytes;
  return to_bytes(as_bytes(input));
}

// RFC 9420 section 6: MLSMessage is version, wire format, content.
std::string_view body_format(const Envelope& envelope) {
  if (envelope.header().kind == Kind::letter) return "sealed letter (HPKE, RFC 9180)";
  const ByteSpan body = envelope.body();
  if (body.size() < 4 || body[0] != 0 || body[1] != 1) return "unknown";
  switch (body[2] << 8U | body[3]) {
    case 1:
      return "MLS PublicMessage (RFC 9420)";
    case 2:
      return "MLS PrivateMessage (RFC 9420)";
    case 3:
      return "MLS Welcome (RFC 9420)";
    default:
      return "unknown";
  }
}

Json describe_envelope(const Envelope& envelope) {
  const Header& header = envelope.header();
  Json recipients = Json::array();
  for (const InstanceKey& key : header.recipients)
    recipients.push_back(did_key(key));
  Json json{{"kind", wire::EnumNameKind(header.kind)},
            {"id", hex(header.id)},
            {"suite", header.suite},
            {"sender", did_key(header.sender)},
            {"recipients", recipients}};
  if (header.kind != Kind::letter) {
    json["conversation"] = hex(header.conversation);
    json["incarnation"] = header.incarnation;
    json["epoch"] = header.epoch;
    json["sender_seq"] = header.sender_seq;
    json["previous"] = hex(header.previous);
  }
  if (!header.names.is_zero()) json["names"] = hex(header.names);
  json["created"] = time_text(header.created);
  json["expires"] = time_text(header.expires);
  json["durability"] = wire::EnumNameDurability(header.durability);
  json["provenance"] = header.provenance.empty() ? "native" : header.provenance;
  json["critical"] = header.critical;
  json["header_bytes"] = envelope.header_bytes().size();
  json["body_bytes"] = envelope.body().size();
  json["body_format"] = body_format(envelope);
  json["body_hash"] = hex(envelope.body_hash());
  json["link"] = hex(envelope.link());
  json["digest"] = hex(envelope.digest());
  return json;
}

void print_table(std::ostream& out, const Json& json) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_array()) {
      for (const auto& item : value)
        out << fmt::format("{:<13} {}\n", key,
                           printable(item.is_string() ? item.get<std::string>() : item.dump()));
      continue;
    }
    out << fmt::format("{:<13} {}\n", key,
                       printable(value.is_string() ? value.get<std::string>() : value.dump()));
  }
}

Outcome<> inspect(Context& context, const InspectOptions& options) {
  SW_TRY(const std::string input, read_input(options.file, limits::kEnvelopeBytes * 2 + 1024));
  if (input.empty())
    return failure(Errc::envelope_malformed, "nothing to read",
                   "sealwire inspect FILE      (or: … | sealwire inspect)");
  SW_TRY(Envelope envelope, Envelope::parse(decode_armour(input)));
  Json json = describe_envelope(envelope);
  const auto verified = verify_signature(std::move(envelope));
  json["signature"] = verified ? "valid" : "INVALID";
  if (context.json)
    context.out << to_line(json);
  else
    print_table(context.out, json);
  if (!verified)
    return failure(verified.error().code, "the sender's key did not sign these bytes",
                   "get the envelope again, from somebody else: these bytes are forged or damaged");
  return {};
}

}  // namespace

void add_inspect(CLI::App& app, Context& context) {
  auto options = std::make_shared<InspectOptions>();
  auto* command = app.add_subcommand("inspect", "Decode an envelope and verify its signature");
  command->add_option("file", options->file, "Raw bytes, hex or base64; - is standard input")
      ->capture_default_str();
  command->callback([&context, options] {
    context.action = [&context, options] { return inspect(context, *options); };
  });
  command->footer("Shows everything that a broker sees. The text is not among it.");
}

}  // namespace sealwire::cli
