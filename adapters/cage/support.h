// What this machine offers to build a cage from.
#pragma once

namespace sealwire::cage {

/// A parameter wherever something is decided by it, so that a test can take a layer away.
struct Support {
  bool seccomp = false;
  int landlock = 0;  // its ABI version; 0: none
};
Support support();

/// Tried in a child process: whether this user may make a user and a network namespace.
bool network_namespace_available();

}  // namespace sealwire::cage
