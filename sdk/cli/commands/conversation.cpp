// `sealwire conversation`: the conversations of this agent, as its own state shows them.
#include <fmt/format.h>

#include <CLI/App.hpp>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/open.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

struct ConversationOptions {
  std::string which;
};

Json conversation_json(const Conversation& conversation) {
  Json json{{"id", conversation.id}, {"peer", conversation.peer}};
  if (!conversation.nickname.empty()) json["name"] = conversation.nickname;
  json["incarnation"] = conversation.incarnation;
  json["epoch"] = conversation.epoch;
  json["established"] = conversation.established;
  json["in_use"] = conversation.in_use;
  json["sent_seq"] = conversation.sent_seq;
  json["received_seq"] = conversation.received_seq;
  return json;
}

Outcome<> list(Context& context) {
  auto agent = open_agent(context, Reach::offline);
  if (!agent) return tl::unexpected(agent.error());
  const auto conversations = agent->conversations();
  for (const Conversation& conversation : conversations) {
    if (context.json) {
      context.out << to_line(conversation_json(conversation));
      continue;
    }
    const std::string who =
        conversation.nickname.empty() ? conversation.peer : conversation.nickname;
    context.out << fmt::format("{}  {:<16} epoch {}{}\n", conversation.id, printable(who),
                               conversation.epoch, conversation.established ? "" : "  (opening)");
  }
  if (conversations.empty())
    context.err << "no conversations yet; the first message to a peer opens one\n";
  return {};
}

Outcome<> show(Context& context, const ConversationOptions& options) {
  auto agent = open_agent(context, Reach::offline);
  if (!agent) return tl::unexpected(agent.error());
  bool found = false;
  for (const Conversation& conversation : agent->conversations()) {
    if (options.which != conversation.id && options.which != conversation.peer &&
        options.which != conversation.nickname)
      continue;
    found = true;
    const Json json = conversation_json(conversation);
    if (context.json) {
      context.out << to_line(json);
      continue;
    }
    for (const auto& [key, value] : json.items())
      context.out << fmt::format(
          "{:<13} {}\n", key,
          value.is_string() ? printable(value.get<std::string>()) : value.dump());
  }
  if (!found)
    return failure(
        Errc::conversation_unknown,
        fmt::format("no conversation \"{}\", and none with a peer of that name", options.which),
        "sealwire conversation ls");
  return {};
}

}  // namespace

void add_conversation(CLI::App& app, Context& context) {
  auto options = std::make_shared<ConversationOptions>();
  auto* conversation = app.add_subcommand("conversation", "List or show conversations");
  conversation->require_subcommand(1);
  conversation->add_subcommand("ls", "List conversations")->callback([&context] {
    context.action = [&context] { return list(context); };
  });
  auto* showing =
      conversation->add_subcommand("show", "Show one: its MLS epoch and chain positions");
  showing->add_option("which", options->which, "Its id, or the peer's name or agent id")
      ->required();
  showing->callback([&context, options] {
    context.action = [&context, options] { return show(context, *options); };
  });
}

}  // namespace sealwire::cli
