// Errors of the SDK: `Result<T>` is tl::expected<T, Error>, and `Error::code` has a name that
// stands in logs and in the documentation.
#pragma once

#include "protocol/error.h"
