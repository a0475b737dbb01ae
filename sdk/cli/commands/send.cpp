// `sealwire send`: one message, and the broker's word that it is on disk.
#include <CLI/App.hpp>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/content_options.h"
#include "sdk/cli/open.h"
#include "sdk/cli/send_and_wait.h"

namespace sealwire::cli {
namespace {

struct MessageOptions {
  std::string peer;
  ContentOptions content;
  bool transient = false;
  bool letter = false;
  std::string expires = "7d";
  std::string wait = "30s";
};

Outcome<> send(Context& context, const MessageOptions& options) {
  const auto lifetime = parse_wait(options.expires, "--expires");
  if (!lifetime) return tl::unexpected(lifetime.error());
  const auto wait = parse_wait(options.wait, "-W");
  if (!wait) return tl::unexpected(wait.error());
  auto payload = read_content(options.content);
  if (!payload) return tl::unexpected(payload.error());
  SendOptions how;
  how.transient = options.transient;
  how.letter = options.letter;
  how.lifetime = *lifetime;
  return send_and_wait(context, options.peer, std::move(*payload), how, *wait);
}

}  // namespace

void add_send(CLI::App& app, Context& context) {
  auto options = std::make_shared<MessageOptions>();
  auto* command = app.add_subcommand("send", "Send a message; prints its id when it is on disk");
  command->add_option("peer", options->peer, "A peer's name or agent id")->required();
  add_content_options(*command, options->content);
  command->add_flag("--transient", options->transient, "Now or never: not stored, not promised");
  command->add_flag("--letter", options->letter, "A sealed letter, outside any conversation");
  command->add_option("--expires", options->expires, "Refused if not read by then")
      ->capture_default_str();
  command->add_option("-W,--wait", options->wait, "How long to wait for the broker")
      ->capture_default_str();
  command->callback([&context, options] {
    context.action = [&context, options] { return send(context, *options); };
  });
}

}  // namespace sealwire::cli
