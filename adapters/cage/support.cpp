#include "adapters/cage/support.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/cage/filter.h"
#include "adapters/cage/landlock.h"

namespace sealwire::cage {

Support support() {
  return {seccomp_available(), landlock_abi()};
}

bool network_namespace_available() {
  const pid_t trial = ::fork();
  if (trial == 0) ::_exit(::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : 1);
  int status = -1;
  if (trial > 0) ::waitpid(trial, &status, 0);
  return status == 0;
}

}  // namespace sealwire::cage
