#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "adapters/channels/registry.h"
#include "adapters/channels/uri.h"
#include "adapters/files/private_file.h"
#include "broker/config.h"
#include "broker/keys.h"
#include "broker/suggest.h"

namespace sealwire::broker {

tl::expected<Config, ConfigProblems> load_config(const std::filesystem::path& path) {
  const auto text = files::read_text_file(path);
  if (!text) {
    // Both the error and the problem name the file.
    std::string cause = text.error().detail;
    if (const std::string twice = path.string() + ": "; cause.starts_with(twice))
      cause.erase(0, twice.size());
    return tl::make_unexpected(ConfigProblems{{path.string(), 0, std::move(cause),
                                               "name another with --config FILE, or let "
                                               "`sealwired init DIR` write one"}});
  }
  return parse_config(*text, path.string());
}

ConfigProblems check_environment(const Config& config, const std::string& filename) {
  ConfigProblems problems;
  for (const auto& listen : config.listen) {
    const auto* const channel = channel::find_channel(listen.uri);
    if (channel == nullptr) {
      std::string known;
      for (const auto* each : channel::all_channels())
        for (const auto scheme : each->schemes())
          if (scheme != "memory")  // leads nowhere but into this process
            known += (known.empty() ? "" : ", ") + std::string(scheme) + "://";
      problems.push_back({filename, listen.line,
                          "no channel has the scheme of " + printable(listen.uri),
                          "use one of " + known});
    } else if (const auto uri = channel->check_uri(listen.uri); !uri) {
      problems.push_back(
          {filename, listen.line, printable(listen.uri) + ": " + uri.error().detail,
           "write scheme://host:port, like wss://127.0.0.1:7410, or as the channel's page says"});
    }
    for (const auto& [name, value] : listen.options)
      if (name.ends_with("_file") && ::access(value.c_str(), R_OK) != 0)
        problems.push_back({filename, listen.line,
                            "\"" + printable(name) + "\": cannot read " + printable(value) + ": " +
                                std::strerror(errno),
                            "make it, or let `sealwired init DIR` make one"});
  }
  if (const auto key = load_broker_key(config.key_file); !key)
    problems.push_back({filename, 0, "\"key.file\": " + key.error().detail,
                        key.error().code == Errc::key_file_permissions
                            ? "a broker's key is for its own user only"
                            : "let `sealwired init DIR` make one"});
  const auto folder = std::filesystem::absolute(config.store_path).parent_path();
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    problems.push_back(
        {filename, 0,
         "\"store.path\": cannot write in " + folder.string() + ": " + std::strerror(errno),
         "make that folder, owned by the broker's user"});
  return problems;
}

}  // namespace sealwire::broker
