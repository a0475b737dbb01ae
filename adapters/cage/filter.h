// A list of system calls that a process may make, compiled to a seccomp program.
#pragma once

#include <seccomp.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "protocol/error.h"

namespace sealwire::cage {

/// Compiled, and loaded any number of times. Copies nothing into the kernel before `enter`.
class Filter {
 public:
  /// Which threads an `enter` is for; those that they start later inherit it.
  enum class Threads : std::uint8_t { this_one, all };

  /// For good; async-signal-safe. Wants no_new_privs to be set, which `all` spreads too. False,
  /// with errno, where the kernel refused it.
  bool enter(Threads threads) const;

 private:
  friend class FilterBuilder;
  std::vector<unsigned char> program_;  // struct sock_filter, one after another
};

/// Names and conditions in, a Filter out; what went wrong on the way shows in `build`.
class FilterBuilder {
 public:
  /// `otherwise`: an SCMP_ACT_* for what no rule names.
  explicit FilterBuilder(std::uint32_t otherwise);

  /// A system call that this machine has never heard of needs no rule.
  FilterBuilder& allow(std::span<const char* const> names);
  /// Allowed where all of `where` holds.
  FilterBuilder& allow(const char* name, std::initializer_list<scmp_arg_cmp> where);
  FilterBuilder& answer(std::span<const char* const> names, std::uint32_t action);
  FilterBuilder& answer(const char* name, std::uint32_t action,
                        std::initializer_list<scmp_arg_cmp> where);
  /// Threads, not processes. glibc tries clone3 first, whose flags a filter cannot see, and takes
  /// clone where it is told that there is none.
  FilterBuilder& allow_threads();

  /// Fails with cage_incomplete.
  Result<Filter> build();

 private:
  struct Release {
    void operator()(void* context) const { seccomp_release(context); }
  };
  std::unique_ptr<void, Release> context_;
  bool good_ = true;
};

/// Whether this kernel has seccomp filters.
bool seccomp_available();

}  // namespace sealwire::cage
