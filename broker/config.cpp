#include "broker/config.h"

// The parser asserts what malformed text breaks (a table header of a lone '+'), and reports it all
// the same when it goes on.
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <charconv>
#include <set>

#include "broker/config_text.h"
#include "broker/suggest.h"
#include "protocol/identity/did_key.h"

namespace sealwire::broker {
namespace {

struct Context {
  const std::string& file;
  std::filesystem::path folder;
  ConfigProblems& problems;

  void report(unsigned line, std::string what, std::string remedy) const {
    problems.push_back({file, line, std::move(what), std::move(remedy)});
  }
  std::string resolve(const std::string& path) const {
    return path.empty() ? path : (folder / path).lexically_normal().string();
  }
};

unsigned line_of(const toml::node& node) {
  return node.source().begin.line;
}

/// One table. Every getter leaves its target alone when the key is absent; `finish` refuses keys
/// that no getter asked for.
class Section {
 public:
  Section(const Context& context, const toml::table* table, std::string name)
      : context_(context), table_(table), name_(std::move(name)) {}

  Section section(std::string_view key) {
    const toml::node* node = find(key);
    if (node != nullptr && !node->is_table())
      wrong(*node, key, "a table", "write it as [" + std::string(key) + "]");
    return {context_, node == nullptr ? nullptr : node->as_table(), std::string(key)};
  }

  void text(std::string_view key, std::string& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value) return wrong(*node, key, "a string", "put it in quotes");
    if (value->find('\0') != std::string::npos || value->size() > 4096)
      return wrong(*node, key, "a string without NUL of at most 4096 bytes", "shorten it");
    out = *value;
  }

  void path(std::string_view key, std::filesystem::path& out) {
    std::string value;
    text(key, value);
    if (!value.empty())
      out = value;
    else if (const toml::node* node = find(key); node != nullptr && node->is_string())
      wrong(*node, key, "a path", "name a file, or delete the line for " + out.string());
    out = context_.resolve(out.string());
  }

  void flag(std::string_view key, bool& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<bool>();
    if (!value) return wrong(*node, key, "a boolean", "write true or false");
    out = *value;
  }

  template <class Integer>
  void integer(std::string_view key, Integer& out, std::int64_t min, std::int64_t max) {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < min || *value > max)
      return wrong(*node, key,
                   "an integer from " + std::to_string(min) + " to " + std::to_string(max),
                   "write a number in that range");
    out = static_cast<Integer>(*value);
  }

  void rate(std::string_view key, Rate& out) {
    if (find(key) == nullptr) return;
    Section inner = section(key);
    inner.name_ = name_ + "." + std::string(key);
    inner.positive("per_second", out.per_second);
    inner.positive("burst", out.burst);
    inner.finish();
  }

  template <class Enum>
  void choice(std::string_view key, Enum& out,
              std::initializer_list<std::pair<std::string_view, Enum>> choices) {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    std::string listed;
    for (const auto& [text, number] : choices) {
      if (value && *value == text) {
        out = number;
        return;
      }
      listed += (listed.empty() ? "\"" : ", \"") + std::string(text) + "\"";
    }
    wrong(*node, key, "one of " + listed, "choose one of them");
  }

  const toml::array* array(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return nullptr;
    if (!node->is_array()) wrong(*node, key, "an array", "put it in brackets");
    return node->as_array();
  }

  /// Whatever is left, as text: the options of a channel.
  void rest(std::map<std::string, std::string>& out) {
    if (table_ == nullptr) return;
    for (const auto& [key, node] : *table_) {
      if (!known_.insert(std::string(key.str())).second) continue;
      const std::string name(key.str());
      if (const auto text = node.value_exact<std::string>())
        out[name] = name.ends_with("_file") ? context_.resolve(*text) : *text;
      else if (const auto number = node.value_exact<std::int64_t>())
        out[name] = std::to_string(*number);
      else if (const auto flag = node.value_exact<bool>())
        out[name] = *flag ? "true" : "false";
      else
        wrong(node, name, "a string, an integer or a boolean", "see the channel's options");
    }
  }

  void finish() {
    if (table_ == nullptr) return;
    for (const auto& [key, node] : *table_) {
      if (known_.contains(key.str())) continue;
      const auto near = closest(key.str(), known_);
      context_.report(line_of(node), "unknown key " + quoted(key.str()),
                      near.empty() ? "delete the line" : "did you mean " + quoted(near) + "?");
    }
  }

  void wrong(const toml::node& node, std::string_view key, std::string expected,
             std::string remedy) const {
    context_.report(line_of(node), quoted(key) + " must be " + std::move(expected),
                    std::move(remedy));
  }
  unsigned line() const { return table_ == nullptr ? 0 : line_of(*table_); }
  const toml::node* find(std::string_view key) {
    known_.emplace(key);
    return table_ == nullptr ? nullptr : table_->get(key);
  }

 private:
  void positive(std::string_view key, double& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value<double>();
    if (!node->is_number() || !(*value > 0) || *value > 1e9)
      return wrong(*node, key, "a number above 0 and up to 1000000000",
                   "write a number in that range");
    out = *value;
  }
  std::string quoted(std::string_view key) const {
    std::string prefix = name_.empty() ? "" : name_ + ".";
    return "\"" + printable(prefix + std::string(key)) + "\"";
  }

  const Context& context_;
  const toml::table* table_;
  std::string name_;
  std::set<std::string, std::less<>> known_;
};

std::string_view scheme_of(std::string_view uri) {
  const auto end = uri.find("://");
  return end == std::string_view::npos ? std::string_view() : uri.substr(0, end);
}

void read_listener(const Context& context, const toml::table& table, Config& config) {
  Section section(context, &table, "listen");
  ListenConfig listen;
  listen.line = section.line();
  section.text("uri", listen.uri);
  section.flag("allow_insecure", listen.allow_insecure);
  section.integer("threads", listen.threads, 1, 256);
  section.integer("connections_max", listen.connections_max, 1, 1'000'000);
  section.integer("unproven_max", listen.unproven_max, 1, 1'000'000);
  section.integer("unproven_per_address_max", listen.unproven_per_address_max, 1, 1'000'000);
  section.rest(listen.options);
  if (section.find("uri") == nullptr)
    context.report(listen.line, "[[listen]] has no \"uri\"",
                   "add uri = \"wss://127.0.0.1:7410\", for example");
  else if (!listen.uri.empty() && scheme_of(listen.uri).empty())
    context.report(listen.line,
                   "\"listen.uri\" is not scheme://host:port: " + printable(listen.uri),
                   "write uri = \"wss://127.0.0.1:7410\", for example");
  for (const auto& other : config.listen)
    if (other.uri == listen.uri && !listen.uri.ends_with(":0"))
      context.report(listen.line,
                     "\"" + printable(listen.uri) + "\" is already listened on (line " +
                         std::to_string(other.line) + ")",
                     "give it another port, or delete one of them");
  config.listen.push_back(std::move(listen));
}

void read_listeners(const Context& context, Section& root, Config& config) {
  const toml::array* listeners = root.array("listen");
  if (listeners == nullptr || listeners->empty()) {
    context.report(
        0, "nothing to listen on",
        "add [[listen]] with uri = \"wss://127.0.0.1:7410\", or let `sealwired init DIR` "
        "write a configuration");
    return;
  }
  for (const auto& node : *listeners) {
    if (const toml::table* table = node.as_table())
      read_listener(context, *table, config);
    else
      root.wrong(node, "listen", "an array of tables", "write each as [[listen]]");
  }
}

void read_admission(const Context& context, Section section, RouterConfig& router) {
  section.choice("mode", router.admission,
                 {{"invite", Admission::invite}, {"open", Admission::open}});
  if (const toml::array* agents = section.array("agents")) {
    for (const auto& node : *agents) {
      const auto text = node.value_exact<std::string>();
      const auto id = text ? parse_agent_id(*text) : fail(Errc::agent_id_malformed);
      if (id)
        router.admitted.insert(*id);
      else
        context.report(line_of(node), "\"admission.agents\" has an entry that is no agent id",
                       "write \"agent:z…\", as `sealwire whoami` prints it");
    }
  }
  section.finish();
}

void read_limits(Section section, Config& config) {
  RouterConfig& router = config.router;
  section.integer("agents", router.agents_max, 1, 10'000'000);
  section.integer("mailbox_entries", router.mailbox_entries_max, 16, 1'000'000'000);
  section.integer("mailbox_bytes", router.mailbox_bytes_max,
                  static_cast<std::int64_t>(2 * limits::kEnvelopeBytes), std::int64_t{1} << 50);
  section.integer("contacts", router.contacts_max, 1, kContactsMax);
  section.integer("invites", router.invites_max, 1, 100'000);
  section.rate("sends", router.sends);
  section.rate("calls", router.calls);
  section.rate("claims", router.claims);
  section.rate("conversations", router.conversations);
  section.rate("handshakes", router.handshakes);
  section.finish();
}

bool is_loopback(std::string_view host) {
  return host == "::1" || host == "[::1]" || host == "localhost" || host.starts_with("127.");
}

void read_http(const Context& context, Section section, HttpConfig& http) {
  std::string listen = http.host + ":" + std::to_string(http.port);
  bool allow_remote = false;
  section.text("listen", listen);
  section.flag("allow_remote", allow_remote);
  const toml::node* node = section.find("listen");
  const unsigned line = node == nullptr ? section.line() : line_of(*node);
  section.finish();
  if (listen.empty()) {
    http.enabled = false;
    return;
  }
  const auto colon = listen.rfind(':');
  const std::string_view port =
      colon == std::string::npos ? "" : std::string_view(listen).substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), http.port);
  if (port.empty() || colon == 0 || error != std::errc() || end != port.data() + port.size())
    return context.report(line, "\"http.listen\" is not address:port: " + printable(listen),
                          "write listen = \"127.0.0.1:7480\", or \"\" for none");
  http.host = listen.substr(0, colon);
  if (http.host == "localhost") http.host = "127.0.0.1";
  if (http.host.starts_with('[') && http.host.ends_with(']'))
    http.host = http.host.substr(1, http.host.size() - 2);
  if (!is_loopback(http.host) && !allow_remote)
    context.report(line, "\"http.listen\" is open to other machines, without authentication",
                   "listen on 127.0.0.1, or say allow_remote = true in [http]");
}

}  // namespace

std::string describe(const ConfigProblem& problem) {
  std::string text = problem.file;
  if (problem.line != 0) text += ":" + std::to_string(problem.line);
  return text + ": " + problem.what + "; " + problem.remedy;
}

tl::expected<Config, ConfigProblems> parse_config(std::string_view text,
                                                  const std::string& filename) {
  ConfigProblems problems;
  const Context context{filename, std::filesystem::path(filename).parent_path(), problems};
  const auto ascii = in_ascii(text);
  if (!ascii) {
    context.report(ascii.error(), "a character that is not ASCII outside a comment",
                   "in a string write it as \\uXXXX");
    return tl::make_unexpected(std::move(problems));
  }
  const toml::parse_result parsed = toml::parse(*ascii, filename);
  if (!parsed) {
    context.report(parsed.error().source().begin.line,
                   "not TOML: " + printable(parsed.error().description()),
                   "see toml.io for what is");
    return tl::make_unexpected(std::move(problems));
  }

  Config config;
  Section root(context, &parsed.table(), "");
  read_listeners(context, root, config);

  Section key = root.section("key");
  key.path("file", config.key_file);
  key.finish();

  Section store = root.section("store");
  store.path("path", config.store_path);
  store.integer("bytes_max", config.store_bytes_max, 0, std::int64_t{1} << 50);
  store.finish();

  read_admission(context, root.section("admission"), config.router);
  read_limits(root.section("limits"), config);

  Section verification = root.section("verification");
  verification.choice(
      "mode", config.router.verification,
      {{"inline", VerificationMode::every_envelope}, {"session", VerificationMode::session}});
  verification.finish();

  read_http(context, root.section("http"), config.http);

  Section log = root.section("log");
  log.choice("level", config.log.level,
             {{"debug", LogLevel::debug},
              {"info", LogLevel::info},
              {"warning", LogLevel::warning},
              {"error", LogLevel::error}});
  log.choice("format", config.log.format, {{"text", LogFormat::text}, {"json", LogFormat::json}});
  log.finish();

  Section process = root.section("process");
  process.choice("cage", config.process.cage,
                 {{"required", CageMode::required},
                  {"available", CageMode::available},
                  {"off", CageMode::off}});
  process.text("user", config.process.user);
  process.finish();

  Section shutdown = root.section("shutdown");
  std::uint64_t drain_seconds = config.drain_ms / kSecondMs;
  shutdown.integer("drain_seconds", drain_seconds, 0, 3600);
  config.drain_ms = drain_seconds * kSecondMs;
  shutdown.finish();

  root.finish();
  if (!problems.empty()) {
    std::stable_sort(problems.begin(), problems.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    return tl::make_unexpected(std::move(problems));
  }
  return config;
}

}  // namespace sealwire::broker
