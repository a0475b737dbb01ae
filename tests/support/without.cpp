// without CALL PROGRAM ARGUMENT…: runs the program on a kernel that, to it, lacks that system call.
// `limits` for CALL: setting a limit succeeds, and does nothing.
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

#include "adapters/cage/filter.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  sealwire::cage::FilterBuilder builder(SCMP_ACT_ALLOW);
  if (std::string_view(argv[1]) == "limits")
    builder.answer("prlimit64", SCMP_ACT_ERRNO(0), {SCMP_A2_64(SCMP_CMP_NE, 0)});
  else
    builder.answer(argv[1], SCMP_ACT_ERRNO(ENOSYS), {});
  const auto filter = builder.build();
  if (!filter || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      !filter->enter(sealwire::cage::Filter::Threads::this_one)) {
    std::perror("without");
    return 2;
  }
  ::execv(argv[2], argv + 2);
  std::perror(argv[2]);
  return 127;
}
