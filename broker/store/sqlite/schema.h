// The tables, their versions, and what must hold of a file before it is used.
#pragma once

#include "broker/store/sqlite/database.h"
#include "protocol/random.h"

namespace sealwire::broker::sqlite {

/// Sets up a writing connection, checks the file and brings its schema up to date. Fails with
/// state_corrupt when the file is not a store, is damaged, or is of a later version.
[[nodiscard]] Result<> prepare_file(Database& database, Random& random);

/// What every connection needs and the file does not remember.
[[nodiscard]] Result<> configure(Database& database);

}  // namespace sealwire::broker::sqlite
