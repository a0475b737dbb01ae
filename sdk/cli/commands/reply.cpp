// `sealwire reply`: the answer to a message or request that was received before.
#include <CLI/App.hpp>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/content_options.h"
#include "sdk/cli/open.h"
#include "sdk/cli/send_and_wait.h"

namespace sealwire::cli {
namespace {

struct ReplyOptions {
  std::string peer;
  std::string message;
  ContentOptions content;
  std::string wait = "30s";
};

Outcome<> reply(Context& context, const ReplyOptions& options) {
  const auto wait = parse_wait(options.wait, "-W");
  if (!wait) return tl::unexpected(wait.error());
  auto payload = read_content(options.content);
  if (!payload) return tl::unexpected(payload.error());
  SendOptions how;
  how.kind = PayloadKind::reply;
  how.reply_to = options.message;
  return send_and_wait(context, options.peer, std::move(*payload), how, *wait);
}

}  // namespace

void add_reply(CLI::App& app, Context& context) {
  auto options = std::make_shared<ReplyOptions>();
  auto* command = app.add_subcommand("reply", "Answer a message or request");
  command->add_option("peer", options->peer, "Who sent it")->required();
  command->add_option("message", options->message, "Its id, as `recv` shows it")->required();
  add_content_options(*command, options->content);
  command->add_option("-W,--wait", options->wait, "How long to wait for the broker")
      ->capture_default_str();
  command->callback([&context, options] {
    context.action = [&context, options] { return reply(context, *options); };
  });
}

}  // namespace sealwire::cli
