#include "sdk/cli/adapter/world.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>

#include "adapters/files/ed25519_pem.h"
#include "adapters/files/private_file.h"

namespace sealwire::cli {
namespace {

struct FileFor {
  std::string file;
  std::string origin;
};

// FILE@ORIGIN: it goes to that origin and no other.
Outcome<FileFor> file_for(const std::string& place, std::string_view option) {
  const auto at = place.rfind('@');
  if (at == std::string::npos)
    return failure(Errc::address_invalid, fmt::format("{} is NAME=FILE@ORIGIN", option));
  SW_TRY(std::string origin, bridge::origin_of(place.substr(at + 1)));
  return FileFor{place.substr(0, at), std::move(origin)};
}

Outcome<SecretBytes> read_secret(const std::string& path) {
  SW_TRY(const SecretBytes file, files::read_private_file(path));
  std::string_view value = as_text(file.span());
  while (value.ends_with('\n') || value.ends_with('\r'))
    value.remove_suffix(1);
  if (value.empty()) return failure(Errc::file_failed, path + " is empty");
  return SecretBytes(as_bytes(value));
}

// It stands between quotes in a header.
Outcome<> check_key_id(const std::string& id) {
  const bool plain = id.size() <= 64 && std::ranges::all_of(id, [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                     });
  if (!plain)
    return failure(Errc::address_invalid, "a key's id has only letters, digits, '-', '_' and '.'");
  return {};
}

}  // namespace

void add_world_options(CLI::App& run, WorldOptions& options) {
  run.add_option("--allow", options.origins, "An origin that the bridge may fetch from");
  run.add_option("--secret", options.secrets,
                 "NAME=FILE@ORIGIN: what {secret:NAME} stands for in fetches from ORIGIN");
  run.add_option(
      "--sign", options.signers,
      "KEYID=FILE@ORIGIN: sign fetches from ORIGIN with this Ed25519 key (PEM; RFC 9421)");
  run.add_option(
      "--tunnel", options.tunnels,
      "NAME=tcp://HOST:PORT or NAME=tls://HOST:PORT?ca=FILE&cert=FILE: what the bridge may "
      "connect to; option NAME tells it where");
  auto* listen =
      run.add_option("--listen", options.listen,
                     "ADDRESS:PORT: take webhooks here; wants --hook-secret or --hook-key");
  run.add_option("--hook-secret", options.hook_secret,
                 "HEADER=FILE: webhooks with this value in this header are authentic")
      ->needs(listen);
  run.add_option("--hook-key", options.hook_keys,
                 "KEYID=FILE: so are those that this Ed25519 public key (PEM) signed (RFC 9421)")
      ->needs(listen);
  run.add_option("--hook-url", options.public_url,
                 "What callers call this address, behind a proxy: https://bridge.example")
      ->needs(listen);
}

Outcome<std::map<std::string, std::string>> named(const std::vector<std::string>& given,
                                                  std::string_view option) {
  std::map<std::string, std::string> all;
  for (const std::string& each : given) {
    const auto sign = each.find('=');
    if (sign == 0 || sign == std::string::npos || sign + 1 == each.size())
      return failure(Errc::address_invalid, fmt::format("{} is NAME=VALUE, not {}", option, each));
    all[each.substr(0, sign)] = each.substr(sign + 1);
  }
  return all;
}

Outcome<bridge::Egress> read_egress(const WorldOptions& options) {
  bridge::Egress egress;
  for (const std::string& url : options.origins) {
    SW_TRY(std::string origin, bridge::origin_of(url));
    egress.origins.insert(std::move(origin));
  }
  const auto secrets = named(options.secrets, "--secret");
  if (!secrets) return tl::unexpected(secrets.error());
  for (const auto& [name, place] : *secrets) {
    auto from = file_for(place, "--secret");
    if (!from) return tl::unexpected(from.error());
    auto value = read_secret(from->file);
    if (!value) return tl::unexpected(value.error());
    egress.origins.insert(from->origin);
    egress.secrets.emplace(name, bridge::FetchSecret{std::move(*value), std::move(from->origin)});
  }
  const auto signers = named(options.signers, "--sign");
  if (!signers) return tl::unexpected(signers.error());
  for (const auto& [id, place] : *signers) {
    if (const auto sound = check_key_id(id); !sound) return tl::unexpected(sound.error());
    auto from = file_for(place, "--sign");
    if (!from) return tl::unexpected(from.error());
    SW_TRY(crypto::SigningKey key, files::read_signing_key_pem(from->file));
    egress.origins.insert(from->origin);
    if (!egress.signers.emplace(from->origin, bridge::FetchSigner{id, std::move(key)}).second)
      return failure(Errc::address_invalid, "--sign: two keys for " + from->origin);
  }
  return egress;
}

Outcome<std::optional<bridge::HookOptions>> read_hooks(const WorldOptions& options) {
  if (options.listen.empty()) return std::nullopt;
  bridge::HookOptions hooks;
  hooks.listen = options.listen;
  hooks.public_url = options.public_url;
  while (hooks.public_url.ends_with('/'))
    hooks.public_url.pop_back();
  if (!options.hook_secret.empty()) {
    const auto secret = named({options.hook_secret}, "--hook-secret");
    if (!secret) return tl::unexpected(secret.error());
    std::string header = secret->begin()->first;
    std::ranges::transform(header, header.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    auto value = read_secret(secret->begin()->second);
    if (!value) return tl::unexpected(value.error());
    hooks.secret = bridge::HookSecret{std::move(header), std::move(*value)};
  }
  const auto keys = named(options.hook_keys, "--hook-key");
  if (!keys) return tl::unexpected(keys.error());
  for (const auto& [id, file] : *keys) {
    if (const auto sound = check_key_id(id); !sound) return tl::unexpected(sound.error());
    SW_TRY(const auto key, files::read_public_key_pem(file));
    hooks.keys.emplace(id, key);
  }
  if (!hooks.secret && hooks.keys.empty())
    return failure(Errc::config_invalid, "--listen: nothing says by what a webhook proves itself",
                   "add --hook-secret HEADER=FILE or --hook-key KEYID=FILE");
  return hooks;
}

Outcome<std::vector<bridge::Tunnel>> read_tunnels(const WorldOptions& options) {
  const auto all = named(options.tunnels, "--tunnel");
  if (!all) return tl::unexpected(all.error());
  std::vector<bridge::Tunnel> tunnels;
  for (const auto& [name, uri] : *all) {
    SW_TRY(bridge::Tunnel tunnel, bridge::parse_tunnel(name, uri));
    tunnels.push_back(std::move(tunnel));
  }
  return tunnels;
}

}  // namespace sealwire::cli
