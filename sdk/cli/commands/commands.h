// Every command of `sealwire`: one file each, one function each, all of one shape.
#pragma once

#include "sdk/cli/context.h"

namespace CLI {
class App;
}

namespace sealwire::cli {

/// Each adds its command to `app`; parsing it leaves what is to be done in `context.action`.
void add_up(CLI::App& app, Context& context);
void add_key(CLI::App& app, Context& context);
void add_whoami(CLI::App& app, Context& context);
void add_invite(CLI::App& app, Context& context);
void add_login(CLI::App& app, Context& context);
void add_peer(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_send(CLI::App& app, Context& context);
void add_recv(CLI::App& app, Context& context);
void add_req(CLI::App& app, Context& context);
void add_reply(CLI::App& app, Context& context);
void add_conformance(CLI::App& app, Context& context);
void add_conversation(CLI::App& app, Context& context);
void add_inspect(CLI::App& app, Context& context);
void add_status(CLI::App& app, Context& context);
void add_pipe(CLI::App& app, Context& context);

}  // namespace sealwire::cli
