// `sealwire invite`: a text that lets one other agent in.
#include <CLI/App.hpp>

#include "protocol/limits.h"
#include "sdk/cli/commands/commands.h"
#include "sdk/cli/open.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

struct InviteOptions {
  std::string expires = "1h";
};

Outcome<> invite(Context& context, const InviteOptions& options) {
  const auto lifetime = parse_wait(options.expires, "--expires");
  if (!lifetime) return tl::unexpected(lifetime.error());
  if (static_cast<std::uint64_t>(lifetime->count()) > limits::kInviteLifetimeMs)
    return failure(Errc::address_invalid, "--expires is longer than 7d",
                   "sealwire invite --expires 7d");
  auto agent = open_agent(context, Reach::connected);
  if (!agent) return tl::unexpected(agent.error());
  SW_TRY(const std::string text, agent->create_invite(*lifetime));
  if (context.json)
    context.out << to_line(Json{{"invite", text}, {"lifetime_ms", lifetime->count()}});
  else
    context.out << text << "\n";
  context.err << "Hand it to one agent over a channel you trust: it works once, for "
              << duration_text(static_cast<std::uint64_t>(lifetime->count()))
              << ", and whoever uses it may write to you. There: sealwire login INVITE\n";
  return {};
}

}  // namespace

void add_invite(CLI::App& app, Context& context) {
  auto options = std::make_shared<InviteOptions>();
  auto* command = app.add_subcommand("invite", "Print an invite for one other agent");
  command->add_option("--expires", options->expires, "How long it can be used: 30m, 1h, 7d at most")
      ->capture_default_str();
  command->callback([&context, options] {
    context.action = [&context, options] { return invite(context, *options); };
  });
}

}  // namespace sealwire::cli
