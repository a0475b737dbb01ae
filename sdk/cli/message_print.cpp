#include "sdk/cli/message_print.h"

#include <fmt/format.h>

#include <ostream>

#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

UnixMillis to_unix(Time time) {
  const auto ms = std::chrono::duration_cast<Millis>(time.time_since_epoch()).count();
  return {ms < 0 ? 0 : static_cast<std::uint64_t>(ms)};
}

}  // namespace

Payload to_payload(Typed content) {
  return Payload::bytes(std::move(content.media_type), std::move(content.data));
}

std::string_view kind_name(PayloadKind kind) {
  switch (kind) {
    case PayloadKind::message:
      return "message";
    case PayloadKind::request:
      return "request";
    case PayloadKind::reply:
      return "reply";
    case PayloadKind::error:
      return "error";
  }
  return "unknown";
}

Json message_json(const Message& message) {
  Json json{{"id", message.id}, {"from", message.from}};
  if (!message.nickname.empty()) json["name"] = message.nickname;
  json["kind"] = kind_name(message.kind);
  put_content(json, {message.payload.media_type, message.payload.data});
  if (!message.reply_to.empty()) json["reply_to"] = message.reply_to;
  if (!message.conversation.empty()) json["conversation"] = message.conversation;
  if (message.sequence != 0) json["sequence"] = message.sequence;
  json["sent"] = time_text(to_unix(message.sent));
  if (message.deadline) json["deadline"] = time_text(to_unix(*message.deadline));
  if (!message.provenance.empty()) json["provenance"] = message.provenance;
  if (!message.trace.empty()) json["trace"] = message.trace;
  if (message.transient) json["transient"] = true;
  if (message.letter) json["letter"] = true;
  return json;
}

void print_message(Context& context, const Message& message) {
  if (context.json) {
    context.out << to_line(message_json(message)) << std::flush;
    return;
  }
  const std::string_view who = message.nickname.empty() ? message.from : message.nickname;
  context.err << fmt::format("-- {} from {} at {}, id {}\n", kind_name(message.kind),
                             printable(who), time_text(to_unix(message.sent)), message.id);
  const std::string_view text = message.text();
  if (context.terminal)
    context.out << printable(text);
  else
    context.out << text;
  if (is_utf8(text) && !text.ends_with('\n')) context.out << '\n';
  context.out << std::flush;
}

}  // namespace sealwire::cli
