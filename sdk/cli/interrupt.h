// SIGINT and SIGTERM as something a loop can ask about. The second one ends the process at once.
#pragma once

namespace sealwire::cli {

/// Takes both signals over for the rest of the process.
void catch_interrupts();
bool interrupted();

}  // namespace sealwire::cli
