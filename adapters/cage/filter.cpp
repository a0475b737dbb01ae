#include "adapters/cage/filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace sealwire::cage {

bool seccomp_available() {
  const std::uint32_t action = SECCOMP_RET_ERRNO;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool Filter::enter(Threads threads) const {
  const sock_fprog program{
      static_cast<unsigned short>(program_.size() / sizeof(sock_filter)),
      reinterpret_cast<sock_filter*>(const_cast<unsigned char*>(program_.data()))};
  const unsigned flags = threads == Threads::all ? SECCOMP_FILTER_FLAG_TSYNC : 0;
  const long answer = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (answer > 0) errno = ESRCH;  // the thread of that id could not take it
  return answer == 0;
}

FilterBuilder::FilterBuilder(std::uint32_t otherwise) : context_(seccomp_init(otherwise)) {
  good_ = context_ != nullptr;
  // A tree instead of a list; refused by an older libseccomp, whose list is as right.
  if (good_) seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
}

FilterBuilder& FilterBuilder::answer(const char* name, std::uint32_t action,
                                     std::initializer_list<scmp_arg_cmp> where) {
  const int call = seccomp_syscall_resolve_name(name);
  if (call == __NR_SCMP_ERROR || !good_) return *this;
  const int added = seccomp_rule_add_array(context_.get(), action, call,
                                           static_cast<unsigned>(where.size()), where.begin());
  // EACCES: that is already what happens otherwise.
  good_ = added == 0 || added == -EACCES;
  return *this;
}

FilterBuilder& FilterBuilder::answer(std::span<const char* const> names, std::uint32_t action) {
  for (const char* name : names)
    answer(name, action, {});
  return *this;
}

FilterBuilder& FilterBuilder::allow(std::span<const char* const> names) {
  return answer(names, SCMP_ACT_ALLOW);
}

FilterBuilder& FilterBuilder::allow(const char* name, std::initializer_list<scmp_arg_cmp> where) {
  return answer(name, SCMP_ACT_ALLOW, where);
}

FilterBuilder& FilterBuilder::allow_threads() {
  return allow("clone",
               {SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM)})
      .answer("clone3", SCMP_ACT_ERRNO(ENOSYS), {});
}

Result<Filter> FilterBuilder::build() {
  const Error broken{Errc::cage_incomplete, "the system call filter could not be built"};
  const int file = ::memfd_create("filter", MFD_CLOEXEC);
  if (!good_ || file < 0 || seccomp_export_bpf(context_.get(), file) != 0) {
    if (file >= 0) ::close(file);
    return fail(broken);
  }
  Filter filter;
  filter.program_.resize(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)));
  const ssize_t got = ::pread(file, filter.program_.data(), filter.program_.size(), 0);
  ::close(file);
  if (got != static_cast<ssize_t>(filter.program_.size())) return fail(broken);
  return filter;
}

}  // namespace sealwire::cage
