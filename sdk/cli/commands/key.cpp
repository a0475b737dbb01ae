// `sealwire key`: makes a context's key, shows its public half, exports it.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>

#include "adapters/files/private_file.h"
#include "protocol/identity/did_key.h"
#include "sdk/cli/commands/commands.h"
#include "sdk/cli/open.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

struct KeyOptions {
  bool secret = false;
  std::string out;
};

Outcome<> print_identity(Context& context, const KeyFile& key) {
  SW_TRY(const AgentIdentity identity, verify_inception(key.inception));
  auto name = name_of(context);
  if (!name) return tl::unexpected(name.error());
  if (context.json) {
    context.out << to_line(Json{{"agent", agent_text(identity.agent)},
                                {"instance", did_key(identity.instance)},
                                {"created", time_text(identity.created)},
                                {"context", *name}});
    return {};
  }
  context.out << fmt::format("agent     {}\ninstance  {}\ncreated   {}\n",
                             agent_text(identity.agent), did_key(identity.instance),
                             time_text(identity.created));
  return {};
}

Outcome<> key_new(Context& context) {
  auto target = read_or_new_context(context);
  if (!target) return tl::unexpected(target.error());
  if (target->directory.empty()) {
    SW_TRY(*target, write_context(home_of(context), *target));
  }
  // create_key leaves an existing key alone; here that would look like a new one.
  if (std::filesystem::exists(target->key_file()))
    return failure(Errc::key_file_exists, "context \"" + target->name + "\" has a key already");
  SW_TRY(const std::string agent, create_key(*target, passphrase()));
  context.err << "made " << target->key_file()
              << (passphrase().empty() ? "" : ", under your passphrase") << "\n";
  if (context.json)
    context.out << to_line(Json{{"agent", agent}, {"context", target->name}});
  else
    context.out << agent << "\n";
  return {};
}

Outcome<> key_show(Context& context) {
  const auto key = read_key(context);
  if (!key) return tl::unexpected(key.error());
  return print_identity(context, *key);
}

// The signed inception statement is all that an agent is to others: the agent id is its hash.
Outcome<> export_public(Context& context, const KeyOptions& options) {
  const auto key = read_key(context);
  if (!key) return tl::unexpected(key.error());
  SW_TRY(const AgentIdentity identity, verify_inception(key->inception));
  const std::string text = to_line(Json{{"agent", agent_text(identity.agent)},
                                        {"instance", did_key(identity.instance)},
                                        {"inception", base64url(identity.inception.statement)},
                                        {"signature", base64url(identity.inception.signature)}});
  if (options.out.empty()) {
    context.out << text;
    return {};
  }
  SW_CHECK(files::create_file(options.out, as_bytes(text), files::Access::everyone));
  return {};
}

Outcome<> export_secret(Context& context, const KeyOptions& options) {
  if (options.out.empty())
    return failure(Errc::address_invalid, "a secret key goes to a file, never to standard output",
                   "sealwire key export --secret --out FILE");
  auto found = read_context(context);
  if (!found) return tl::unexpected(found.error());
  SW_TRY(const SecretBytes text, files::read_private_file(found->key_file()));
  if (auto written = files::write_private_file(options.out, text.span()); !written)
    return failure(written.error(), "name a file that does not exist yet");
  context.err << "wrote the SECRET key to " << options.out
              << "; who has it is this agent. Its state (messages, peers) is not in it.\n";
  return {};
}

}  // namespace

void add_key(CLI::App& app, Context& context) {
  auto options = std::make_shared<KeyOptions>();
  auto* key = app.add_subcommand("key", "Make, show or export this context's key");
  key->require_subcommand(1);
  key->add_subcommand("new", "Make the key; SEALWIRE_PASSPHRASE puts it under a passphrase")
      ->callback([&context] { context.action = [&context] { return key_new(context); }; });
  key->add_subcommand("show", "Print the public identity")->callback([&context] {
    context.action = [&context] { return key_show(context); };
  });
  auto* exporting = key->add_subcommand("export", "Print the public identity as JSON");
  exporting->add_flag("--secret", options->secret,
                      "Export the secret key file instead; wants --out");
  exporting->add_option("--out", options->out,
                        "Write to this new file (a secret one gets mode 0600)");
  exporting->callback([&context, options] {
    context.action = [&context, options] {
      return options->secret ? export_secret(context, *options) : export_public(context, *options);
    };
  });
}

}  // namespace sealwire::cli
