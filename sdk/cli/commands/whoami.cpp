// `sealwire whoami`: the agent id, as a peer needs it.
#include <CLI/App.hpp>

#include "protocol/identity/did_key.h"
#include "sdk/cli/commands/commands.h"
#include "sdk/cli/open.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

Outcome<> whoami(Context& context) {
  const auto key = read_key(context);
  if (!key) return tl::unexpected(key.error());
  const auto found = read_context(context);
  if (!found) return tl::unexpected(found.error());
  SW_TRY(const AgentIdentity identity, verify_inception(key->inception));
  if (context.json)
    context.out << to_line(Json{{"agent", agent_text(identity.agent)},
                                {"instance", did_key(identity.instance)},
                                {"context", found->name}});
  else
    context.out << agent_text(identity.agent) << "\n";
  return {};
}

}  // namespace

void add_whoami(CLI::App& app, Context& context) {
  app.add_subcommand("whoami", "Print this context's agent id")->callback([&context] {
    context.action = [&context] { return whoami(context); };
  });
}

}  // namespace sealwire::cli
