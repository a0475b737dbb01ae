// What a process gives up of itself: its user, capabilities, new privileges, core dumps. All for
// the calling thread and those that it starts, so before the first.
#pragma once

#include <string>

#include "protocol/error.h"

namespace sealwire::cage {

/// The superuser becomes `user`, with that user's groups. CAP_NET_BIND_SERVICE stays where
/// `low_ports`. Fails with cage_incomplete: no such user, not the superuser.
Result<> become_user(const std::string& user, bool low_ports);

/// No capability is left, also not to be gained, but CAP_NET_BIND_SERVICE where it was there and
/// `low_ports`. Fails with cage_incomplete.
Result<> drop_capabilities(bool low_ports);

/// Executing a program can never give more rights. Fails with cage_incomplete.
Result<> no_new_privileges();

/// No core file, and no reading of this process's memory by another of its user (ptrace, /proc).
/// Fails with cage_incomplete.
Result<> no_core_dumps();

}  // namespace sealwire::cage
