#include "broker/init.h"

#include <sys/stat.h>

#include <cerrno>

#include "adapters/channels/websocket/certificate.h"
#include "adapters/files/private_file.h"
#include "broker/example_config.h"
#include "broker/keys.h"
#include "protocol/identity/did_key.h"

namespace sealwire::broker {
namespace {

void replace(std::string& text, std::string_view from, const std::string& to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
}

Result<> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(Errc::file_failed, folder.string() + ": cannot make the folder: " +
                                       std::generic_category().message(errno));
  return {};
}

}  // namespace

std::string initial_config(const InitOptions& options) {
  std::string text = kExampleConfig;
  const std::string host =
      options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
  replace(text, "wss://127.0.0.1:7410", "wss://" + host + ":" + std::to_string(options.wss_port));
  replace(text, "tcp://127.0.0.1:7411",
          "tcp://" + host + ":" + std::to_string(options.zeromq_port));
  if (options.http_port != 7480)
    replace(text, "# listen = \"127.0.0.1:7480\" ",
            "listen = \"127.0.0.1:" + std::to_string(options.http_port) + "\" ");
  if (options.open_admission)
    replace(text, "mode = \"invite\"                       # \"open\": every",
            "mode = \"open\"                         # \"invite\" admits invited agents only; this "
            "is every");
  return text;
}

Result<Initialised> initialise_folder(const InitOptions& options, UnixMillis now, Random& random) {
  const auto folder = std::filesystem::absolute(options.folder / "").parent_path();
  SW_CHECK(make_folder(folder));
  Initialised made;
  made.config_file = folder / "sealwired.toml";
  const auto key = folder / "broker.key";
  const auto certificate = folder / "certificate.pem";
  const auto certificate_key = folder / "certificate.key";
  const auto curve = folder / "curve.key";
  made.files = {made.config_file, key, certificate, certificate_key, curve};
  for (const auto& file : made.files)
    if (std::filesystem::exists(std::filesystem::symlink_status(file)))
      return fail(Errc::key_file_exists, file.string() + " exists and is left as it is");

  SW_TRY(const crypto::SigningKey broker_key, create_broker_key(key, now, random));
  made.broker_key = broker_key.public_key<BrokerKey>();
  SW_CHECK(channel::make_self_signed(certificate.string(), certificate_key.string()));
  const Secret<32> curve_secret = random.secret<32>();
  std::string curve_text = hex(curve_secret.span()) + "\n";
  auto curve_written = files::write_private_file(curve, as_bytes(curve_text));
  sodium_memzero(curve_text.data(), curve_text.size());
  SW_CHECK(std::move(curve_written));
  // Last: where there is a configuration, there is all of it.
  SW_CHECK(files::create_file(made.config_file, as_bytes(initial_config(options)),
                              files::Access::everyone));
  return made;
}

}  // namespace sealwire::broker
