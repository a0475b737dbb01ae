// State on SQLite: WAL, synchronous=FULL, one connection, prepared statements.
#pragma once

#include <filesystem>
#include <memory>

#include "protocol/crypto/crypto.h"
#include "sdk/cpp/state/state.h"

namespace sealwire::sdk {

/// Opens or makes the state of the agent whose key this is. `path` ":memory:" keeps nothing and
/// takes no lock. `random` is thread-safe and outlives the result. Fails with state_locked,
/// state_corrupt (also: the state of another agent, or of a newer version), store_full,
/// store_failed or file_failed.
Result<std::unique_ptr<State>> open_sqlite_state(const std::filesystem::path& path,
                                                 const crypto::SigningKey& key, Random& random);

}  // namespace sealwire::sdk
