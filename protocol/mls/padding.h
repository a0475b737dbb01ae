// What fills up the encrypted content of a PrivateMessage (RFC 9420 section 6.3.1): a choice of the
// caller's.
#pragma once

#include "protocol/padding.h"

namespace sealwire::mls {

using PaddingFunction = std::size_t (*)(std::size_t size);

constexpr std::size_t no_padding(std::size_t size) {
  return size;
}

}  // namespace sealwire::mls
