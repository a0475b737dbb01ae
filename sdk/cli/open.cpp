#include "sdk/cli/open.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "adapters/files/private_file.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

// Every context of this user, or how to get one.
std::string contexts_there_are(const std::string& home) {
  const auto names = list_contexts(home);
  if (!names || names->empty())
    return "sealwire login INVITE      (or `sealwire up`, to try things here)";
  std::string hint = "sealwire -c NAME …      (there are:";
  for (const std::string& each : *names)
    hint += " " + each;
  return hint + ")";
}

}  // namespace

std::string home_of(const Context& context) {
  return context.home.empty() ? default_home() : context.home;
}

Outcome<std::string> name_of(const Context& context) {
  if (!context.name.empty()) return context.name;
  SW_TRY(std::string chosen, current_context(home_of(context)));
  return chosen;
}

Outcome<sealwire::Context> read_or_new_context(const Context& context) {
  auto name = name_of(context);
  if (!name) return tl::unexpected(name.error());
  auto found = sealwire::read_context(home_of(context), *name);
  if (found) return *found;
  if (found.error().code != Errc::file_failed) return failure(found.error());
  sealwire::Context fresh;
  fresh.name = *name;
  return fresh;
}

Outcome<sealwire::Context> read_context(const Context& context) {
  auto name = name_of(context);
  if (!name) return tl::unexpected(name.error());
  auto found = sealwire::read_context(home_of(context), *name);
  if (found) return *found;
  if (found.error().code == Errc::file_failed)
    return failure(Errc::file_failed,
                   fmt::format("there is no context \"{}\" in {}", *name, home_of(context)),
                   contexts_there_are(home_of(context)));
  return failure(found.error());
}

std::string passphrase() {
  const char* set = std::getenv("SEALWIRE_PASSPHRASE");
  return set == nullptr ? "" : set;
}

Outcome<KeyFile> read_key(const Context& context) {
  auto found = read_context(context);
  if (!found) return tl::unexpected(found.error());
  if (!std::filesystem::exists(found->key_file()))
    return failure(Errc::file_failed, fmt::format("context \"{}\" has no key yet", found->name),
                   fmt::format("sealwire -c {} key new", found->name));
  SW_TRY(const SecretBytes text, files::read_private_file(found->key_file()));
  SW_TRY(KeyFile key, decode_key_file(as_text(text.span()), passphrase()));
  if (key.role != KeyRole::agent)
    return failure(Errc::key_file_malformed, found->key_file() + " holds a broker's key");
  return key;
}

Outcome<Agent> open_agent(const Context& context, Reach reach, Millis timeout) {
  auto found = read_context(context);
  if (!found) return tl::unexpected(found.error());
  if (!std::filesystem::exists(found->key_file()))
    return failure(Errc::file_failed, fmt::format("context \"{}\" has no key yet", found->name),
                   fmt::format("sealwire -c {} login INVITE", found->name));
  if (reach != Reach::offline && found->endpoints.empty())
    return failure(Errc::config_invalid,
                   fmt::format("context \"{}\" has no broker yet", found->name),
                   fmt::format("sealwire -c {} login INVITE", found->name));
  Options options;
  options.name = found->name;
  options.key_file = found->key_file();
  options.state_file = found->state_file();
  options.passphrase = passphrase();
  options.endpoints = found->endpoints;
  options.broker_key = found->broker_key;
  options.trust_first_use = found->trust_first_use;
  options.offline = reach == Reach::offline;
  SW_TRY(Agent agent, Agent::open(std::move(options)));
  if (reach == Reach::connected) SW_CHECK(agent.wait_connected(timeout));
  return agent;
}

Outcome<Millis> parse_wait(const std::string& text, std::string_view option) {
  const auto ms = parse_duration_ms(text);
  if (!ms) return failure(Errc::address_invalid, fmt::format("{}: {}", option, ms.error().detail));
  return Millis(*ms);
}

}  // namespace sealwire::cli
