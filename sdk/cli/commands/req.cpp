// `sealwire req`: a request, and the peer's answer to it.
#include <CLI/App.hpp>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/content_options.h"
#include "sdk/cli/message_print.h"
#include "sdk/cli/open.h"

namespace sealwire::cli {
namespace {

struct RequestOptions {
  std::string peer;
  ContentOptions content;
  std::string wait = "30s";
};

Outcome<> request(Context& context, const RequestOptions& options) {
  const auto wait = parse_wait(options.wait, "-W");
  if (!wait) return tl::unexpected(wait.error());
  auto payload = read_content(options.content);
  if (!payload) return tl::unexpected(payload.error());
  auto agent = open_agent(context, Reach::connected, std::min(*wait, kConnectTimeout));
  if (!agent) return tl::unexpected(agent.error());
  const auto answer = agent->request(options.peer, std::move(*payload), *wait);
  // The request's envelope expires with it: which of the two is noticed first is chance.
  if (!answer &&
      (answer.error().code == Errc::timeout || answer.error().code == Errc::envelope_expired))
    return failure(Errc::timeout, "no answer from " + options.peer + " within " + options.wait,
                   "is that agent running? the same command with a longer -W");
  if (!answer) return failure(answer.error());
  print_message(context, *answer);
  return {};
}

}  // namespace

void add_req(CLI::App& app, Context& context) {
  auto options = std::make_shared<RequestOptions>();
  auto* command = app.add_subcommand("req", "Send a request and print its answer");
  command->add_option("peer", options->peer, "A peer's name or agent id")->required();
  add_content_options(*command, options->content);
  command->add_option("-W,--wait", options->wait, "The request's deadline")->capture_default_str();
  command->callback([&context, options] {
    context.action = [&context, options] { return request(context, *options); };
  });
}

}  // namespace sealwire::cli
