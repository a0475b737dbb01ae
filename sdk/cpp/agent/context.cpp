// Contexts and options: where a user's agents are kept, and which one is meant.
#include "sealwire/context.h"

#include <toml++/toml.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "adapters/files/private_file.h"
#include "protocol/identity/did_key.h"
#include "protocol/identity/invite.h"
#include "protocol/identity/key_file.h"
#include "sdk/cpp/agent/driver.h"

namespace sealwire {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path directory_of(const std::string& home, const std::string& name) {
  return fs::path(home) / "contexts" / name;
}

Result<> check_name(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  if (!plain || name.empty() || name.size() > 64 || name.front() == '.')
    return fail(Errc::config_invalid,
                "a context's name is 1 to 64 of a-z A-Z 0-9 _ - . and begins with no dot");
  return {};
}

std::string at(const fs::path& file, const toml::source_region& where) {
  return file.string() + ":" + std::to_string(where.begin.line) + ": ";
}

Result<EndpointOptions> read_endpoint(const fs::path& file, const toml::node& node) {
  const auto* table = node.as_table();
  EndpointOptions endpoint;
  const auto malformed = [&] {
    return fail(Errc::config_invalid,
                at(file, node.source()) + "an [[endpoint]] has uri = \"…\" and options as texts");
  };
  if (table == nullptr) return malformed();
  for (const auto& [key, value] : *table) {
    if (key == "allow_insecure" && value.is_boolean()) {
      endpoint.allow_insecure = **value.as_boolean();
      continue;
    }
    const auto text = value.value<std::string>();
    if (!text) return malformed();
    if (key == "uri")
      endpoint.uri = *text;
    else
      endpoint.options[std::string(key.str())] = *text;
  }
  if (endpoint.uri.empty()) return malformed();
  return endpoint;
}

Result<Context> parse_context(const fs::path& file, const std::string& text) {
  toml::table table;
  try {
    table = toml::parse(text, file.string());
  } catch (const toml::parse_error& error) {
    return fail(Errc::config_invalid, at(file, error.source()) + std::string(error.description()));
  }
  Context context;
  for (const auto& [key, value] : table) {
    if (key == "broker_key" && value.is_string()) {
      context.broker_key = **value.as_string();
    } else if (key == "trust_first_use" && value.is_boolean()) {
      context.trust_first_use = **value.as_boolean();
    } else if (key == "endpoint" && value.is_array()) {
      for (const auto& endpoint : *value.as_array()) {
        SW_TRY(EndpointOptions read, read_endpoint(file, endpoint));
        context.endpoints.push_back(std::move(read));
      }
    } else {
      return fail(Errc::config_invalid,
                  at(file, value.source()) +
                      "unknown or of the wrong type: " + std::string(key.str()) +
                      " (known: broker_key, trust_first_use, [[endpoint]])");
    }
  }
  return context;
}

std::string write_toml(const Context& context) {
  toml::table table;
  if (!context.broker_key.empty()) table.insert("broker_key", context.broker_key);
  if (context.trust_first_use) table.insert("trust_first_use", true);
  toml::array endpoints;
  for (const EndpointOptions& from : context.endpoints) {
    toml::table endpoint{{"uri", from.uri}};
    if (from.allow_insecure) endpoint.insert("allow_insecure", true);
    for (const auto& [key, value] : from.options)
      endpoint.insert(key, value);
    endpoints.push_back(std::move(endpoint));
  }
  if (!endpoints.empty()) table.insert("endpoint", std::move(endpoints));
  std::ostringstream out;
  out << table << '\n';
  return out.str();
}

// Readers see the old file or the new one.
Result<> replace_file(const fs::path& path, const std::string& text) {
  const fs::path fresh = path.string() + ".new";
  std::error_code ignored;
  fs::remove(fresh, ignored);
  SW_CHECK(files::create_file(fresh, as_bytes(text), files::Access::owner));
  std::error_code error;
  fs::rename(fresh, path, error);
  if (error) return fail(Errc::file_failed, path.string() + ": " + error.message());
  return {};
}

Result<> make_directory(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) fs::permissions(path, fs::perms::owner_all, error);
  if (error) return fail(Errc::file_failed, path.string() + ": " + error.message());
  return {};
}

Result<Options> options_of(const std::string& home, const std::string& name) {
  SW_TRY(const Context context, read_context(home, name));
  Options options;
  options.name = name;
  options.key_file = context.key_file();
  options.state_file = context.state_file();
  options.passphrase = environment("SEALWIRE_PASSPHRASE");
  options.endpoints = context.endpoints;
  options.broker_key = context.broker_key;
  options.trust_first_use = context.trust_first_use;
  return options;
}

}  // namespace

std::string default_home() {
  if (std::string home = environment("SEALWIRE_HOME"); !home.empty()) return home;
  if (const std::string config = environment("XDG_CONFIG_HOME"); !config.empty())
    return config + "/sealwire";
  return environment("HOME") + "/.config/sealwire";
}

Result<std::vector<std::string>> list_contexts(const std::string& home) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::path(home) / "contexts", error))
    if (fs::exists(entry.path() / "context.toml", error))
      names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

Result<Context> read_context(const std::string& home, const std::string& name) {
  SW_CHECK(check_name(name));
  const fs::path directory = directory_of(home, name);
  const fs::path file = directory / "context.toml";
  auto text = files::read_text_file(file);
  if (!text)
    return fail(Errc::file_failed,
                "there is no context " + name + " in " + home + " (" + text.error().detail + ")");
  SW_TRY(Context context, parse_context(file, *text));
  context.name = name;
  context.directory = directory.string();
  return context;
}

Result<Context> write_context(const std::string& home, const Context& from) {
  SW_CHECK(check_name(from.name));
  Context context = from;
  const fs::path directory = directory_of(home, from.name);
  context.directory = directory.string();
  SW_CHECK(make_directory(directory));
  SW_CHECK(replace_file(directory / "context.toml", write_toml(context)));
  return context;
}

Result<std::string> create_key(const Context& context, const std::string& passphrase) {
  crypto::initialise();
  const fs::path path = context.key_file();
  if (std::error_code error; fs::exists(path, error)) {
    SW_TRY(const SecretBytes text, files::read_private_file(path));
    SW_TRY(const KeyFile existing, decode_key_file(as_text(text.span()), passphrase));
    SW_TRY(const AgentIdentity identity, verify_inception(existing.inception));
    return agent_text(identity.agent);
  }
  crypto::SystemRandom random;
  const KeyFile made = make_key_file(KeyRole::agent, wall_clock(), random);
  SW_CHECK(make_directory(path.parent_path()));
  SW_TRY(std::string text, encode_key_file(made, passphrase, random));
  auto written = files::write_private_file(path, as_bytes(text));
  sodium_memzero(text.data(), text.size());
  SW_CHECK(std::move(written));
  SW_TRY(const AgentIdentity identity, verify_inception(made.inception));
  return agent_text(identity.agent);
}

Result<std::string> current_context(const std::string& home) {
  if (const std::string named = environment("SEALWIRE_CONTEXT"); !named.empty()) return named;
  if (const auto chosen = files::read_text_file(fs::path(home) / "current")) {
    const std::string name = chosen->substr(0, chosen->find('\n'));
    if (!name.empty()) return name;
  }
  SW_TRY(const auto all, list_contexts(home));
  return all.size() == 1 ? all.front() : std::string("default");
}

Result<> choose_context(const std::string& home, const std::string& name) {
  SW_CHECK(read_context(home, name).map([](const Context&) {}));
  return replace_file(fs::path(home) / "current", name + "\n");
}

Result<InviteSummary> read_invite(const std::string& text) {
  crypto::initialise();
  SW_TRY(const Invite invite, parse_invite(text));
  return InviteSummary{agent_text(invite.inviter.agent), hex(invite.broker), invite.endpoints,
                       invite.expires.value};
}

Result<Options> Options::from_environment() {
  const std::string home = default_home();
  SW_TRY(const std::string name, current_context(home));
  return options_of(home, name);
}

Result<Options> Options::from_context(const std::string& name) {
  return options_of(default_home(), name);
}

Result<Options> Options::from_arguments(int argc, const char* const* argv) {
  std::string home = default_home();
  std::string context;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if ((argument == "--context" || argument == "--home") && i + 1 < argc)
      (argument == "--home" ? home : context) = argv[++i];
    else
      return fail(Errc::config_invalid, "unknown argument " + std::string(argument) +
                                            " (known: --context NAME, --home DIR)");
  }
  if (context.empty()) {
    SW_TRY(context, current_context(home));
  }
  return options_of(home, context);
}

}  // namespace sealwire
