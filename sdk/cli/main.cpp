// `sealwire`: the command line of an agent. Parses, runs one command, prints how it failed.
#include <signal.h>
#include <unistd.h>

#include <iostream>

#include "sdk/cli/run.h"

int main(int argc, char** argv) {
  // A reader that has gone shows as a failed write, which the commands notice and end by.
  ::signal(SIGPIPE, SIG_IGN);
  sealwire::cli::Context context(std::cout, std::cerr);
  context.terminal = ::isatty(STDOUT_FILENO) == 1;
  return static_cast<int>(sealwire::cli::run(context, argc, argv));
}
