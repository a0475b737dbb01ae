#include "adapters/cage/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace sealwire::cage {
namespace {

tl::unexpected<Error> refused(const std::string& what) {
  return fail(Errc::cage_incomplete, what + ": " + std::generic_category().message(errno));
}

constexpr std::uint32_t kNetBindService = 1U << CAP_NET_BIND_SERVICE;  // in the first word

}  // namespace

Result<> become_user(const std::string& user, bool low_ports) {
  errno = 0;
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) return fail(Errc::cage_incomplete, "there is no user " + user);
  if (::geteuid() == entry->pw_uid) return {};
  if (::geteuid() != 0)
    return fail(Errc::cage_incomplete,
                "only the superuser can become " + user + "; start it as that user");
  // So that drop_capabilities() finds the one that low ports need.
  if (low_ports && ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return refused("keep capabilities");
  if (::initgroups(user.c_str(), entry->pw_gid) != 0 ||
      ::setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
      ::setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
    return refused("become " + user);
  return {};
}

Result<> drop_capabilities(bool low_ports) {
  // Only who has CAP_SETPCAP can; to others no_new_privs makes the bounding set unreachable.
  for (unsigned long each = 0; ::prctl(PR_CAPBSET_READ, each, 0, 0, 0) >= 0; ++each)
    if (!low_ports || each != CAP_NET_BIND_SERVICE) ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return refused("read capabilities");
  const std::uint32_t kept = low_ports ? sets[0].permitted & kNetBindService : 0;
  // A service manager that has dropped them may forbid capset too.
  const auto unchanged = [](const __user_cap_data_struct& set, std::uint32_t wanted) {
    return set.effective == wanted && set.permitted == wanted && set.inheritable == 0;
  };
  if (unchanged(sets[0], kept) && unchanged(sets[1], 0)) return {};
  sets[0] = {kept, kept, 0};
  sets[1] = {};
  if (::syscall(SYS_capset, &header, sets.data()) != 0) return refused("drop capabilities");
  return {};
}

Result<> no_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("no_new_privs");
  return {};
}

Result<> no_core_dumps() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return refused("core dumps");
  return {};
}

}  // namespace sealwire::cage
