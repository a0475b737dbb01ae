#include "broker/cage.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "adapters/cage/filter.h"
#include "adapters/cage/landlock.h"
#include "adapters/cage/privileges.h"
#include "adapters/channels/registry.h"
#include "adapters/channels/uri.h"
#include "broker/cage_calls.h"

namespace sealwire::broker {
namespace {

namespace fs = std::filesystem;
using cage::Access;
using cage::Filter;
using cage::FilterBuilder;

// What getaddrinfo, localtime, OpenSSL and the loader of libraries read.
constexpr auto kSystemFiles = std::to_array<const char*>(
    {"/usr/lib", "/usr/local/lib", "/lib", "/lib64", "/usr/share/zoneinfo", "/etc/localtime",
     "/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/etc/crypto-policies",
     "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
     "/etc/services", "/dev/null", "/dev/urandom", "/sys/devices/system/cpu"});

// Whom a dialled server's certificate is checked against.
constexpr auto kAuthorities =
    std::to_array<const char*>({"/etc/ssl/certs", "/usr/share/ca-certificates",
                                "/usr/local/share/ca-certificates", "/etc/pki/ca-trust"});

bool low_ports(const Config& config) {
  const auto low = [](unsigned long port) { return port != 0 && port < 1024; };
  for (const ListenConfig& each : config.listen) {
    const auto uri = channel::parse_uri(each.uri);
    if (uri && low(uri->port)) return true;
    const auto data = each.options.find("data_port");  // ZeroMQ's second one
    if (data != each.options.end() && low(std::strtoul(data->second.c_str(), nullptr, 10)))
      return true;
  }
  return low(config.http.port);
}

// The folder too, since a renewed file is another file under its name.
Result<> grant_file(cage::Ruleset& rules, const fs::path& file) {
  std::error_code ignored;
  SW_CHECK(rules.grant(fs::absolute(file, ignored).parent_path(), Access::read));
  return rules.grant(fs::weakly_canonical(file, ignored).parent_path(), Access::read);
}

bool dials(const Config& config) {
  return std::ranges::any_of(config.listen, [](const ListenConfig& each) {
    const channel::Channel* channel = channel::find_channel(each.uri);
    return channel != nullptr && channel->capabilities().dials_to_listen;
  });
}

Result<> enter_landlock(const Config& config, const fs::path& config_file, int abi) {
  const bool dialling = dials(config);
  SW_TRY(cage::Ruleset rules, cage::Ruleset::make(abi, dialling));
  for (const char* path : kSystemFiles)
    SW_CHECK(rules.grant(path, Access::read));
  if (dialling)
    for (const char* path : kAuthorities)
      SW_CHECK(rules.grant(path, Access::read));
  SW_CHECK(grant_file(rules, config_file));
  SW_CHECK(grant_file(rules, config.key_file));
  for (const auto& listen : config.listen)
    for (const auto& [name, value] : listen.options)
      if (name.ends_with("_file")) SW_CHECK(grant_file(rules, value));
  std::error_code ignored;
  SW_CHECK(rules.grant(fs::absolute(config.store_path, ignored).parent_path(), Access::keep));
  if (!rules.enter())
    return fail(Errc::cage_incomplete, "Landlock: " + std::generic_category().message(errno));
  return {};
}

// What is unknown here does not exist (ENOSYS), so that a library takes its older way.
Result<Filter> serving_filter() {
  constexpr auto kIs = SCMP_CMP_EQ;
  return FilterBuilder(SCMP_ACT_ERRNO(ENOSYS))
      .allow(kServingCalls)
      .allow(kStartingCalls)
      .allow(kDiallingCalls)
      .allow_threads()
      .allow("prlimit64", {SCMP_A2_64(kIs, 0)})  // to read
      .allow("prctl", {SCMP_A0_64(kIs, PR_SET_NAME)})
      .allow("prctl", {SCMP_A0_64(kIs, PR_GET_NAME)})
      .allow("tgkill", {SCMP_A0_64(kIs, static_cast<scmp_datum_t>(::getpid()))})  // abort()
      .allow("ioctl", {SCMP_A1_64(kIs, 0x5401)})                                  // TCGETS
      .allow("ioctl", {SCMP_A1_64(kIs, 0x541B)})                                  // FIONREAD
      .allow("ioctl", {SCMP_A1_64(kIs, 0x5421)})                                  // FIONBIO
      .allow("ioctl", {SCMP_A1_64(kIs, 0x5451)})                                  // FIOCLEX
      .build();
}

Result<> enter_filter(const Result<Filter>& filter, Filter::Threads threads) {
  if (!filter) return fail(filter.error());
  if (!filter->enter(threads))
    return fail(Errc::cage_incomplete, "seccomp: " + std::generic_category().message(errno));
  return {};
}

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& each : parts)
    text += (text.empty() ? "" : ", ") + each;
  return text;
}

}  // namespace

bool built_without_cage() {
#ifdef SEALWIRE_SANITIZED
  return true;
#else
  return false;
#endif
}

Result<> become_configured_user(const Config& config) {
  if (config.process.user.empty()) return {};
  return cage::become_user(config.process.user, low_ports(config));
}

Result<CageReport> enter_cage(const Config& config, const fs::path& config_file,
                              const cage::Support& support) {
  CageReport report;
  const CageMode mode = config.process.cage;
  if (mode == CageMode::off || built_without_cage()) {
    const std::string why =
        mode == CageMode::off ? "[process] cage is \"off\"" : "a sanitizer's build";
    if (mode == CageMode::required) return fail(Errc::cage_incomplete, why + " has no cage");
    report.missing.push_back("all of it: " + why);
    return report;
  }
  const auto layer = [&](const std::string& name, const Result<>& entered) {
    (entered ? report.layers : report.missing)
        .push_back(entered ? name : name + " (" + entered.error().detail + ")");
  };
  const tl::unexpected<Error> lacking =
      fail(Errc::cage_incomplete, "not offered here by kernel, container or service");
  layer("no new privileges", cage::no_new_privileges());
  const bool low = low_ports(config);
  layer(low ? "no capabilities but for low ports" : "no capabilities",
        cage::drop_capabilities(low));
  layer("no core dumps", cage::no_core_dumps());
  layer(support.landlock > 0 ? "Landlock ABI " + std::to_string(support.landlock) : "Landlock",
        support.landlock > 0 ? enter_landlock(config, config_file, support.landlock)
                             : Result<>(lacking));
  layer("seccomp", support.seccomp ? enter_filter(serving_filter(), Filter::Threads::this_one)
                                   : Result<>(lacking));
  if (mode == CageMode::required && !report.missing.empty())
    return fail(Errc::cage_incomplete,
                "[process] cage is \"required\", and missing here: " + join(report.missing));
  return report;
}

Result<> close_cage(const Config& config, const CageReport& entered) {
  if (std::ranges::find(entered.layers, "seccomp") == entered.layers.end()) return {};
  // What the first filter refuses stays refused: of two filters the stricter answer holds.
  SW_CHECK(cage::drop_capabilities(false));
  FilterBuilder builder(SCMP_ACT_ALLOW);
  builder.answer(kStartingCalls, SCMP_ACT_ERRNO(EPERM));
  if (!dials(config)) builder.answer(kDiallingCalls, SCMP_ACT_ERRNO(EPERM));
  return enter_filter(builder.build(), Filter::Threads::all);
}

std::string describe(const CageReport& report) {
  std::string text = "cage: " + (report.layers.empty() ? "none" : join(report.layers));
  if (!report.missing.empty()) text += "; missing: " + join(report.missing);
  return text;
}

}  // namespace sealwire::broker
