// Sealed letters (SPEC chapter E2E): HPKE in base mode (RFC 9180), and what a letter holds.
#pragma once

#include "conformance/wire/build.h"

namespace conformance {

std::size_t padme(std::size_t size);
/// `enc ‖ ct` of SealBase to `key`.
Bytes hpke_seal(View key, View info, View associated, View text);

/// A ContentBatch of one content; `with` and `without` make a wrong one of it.
Table content(std::string_view text);
Bytes content_batch(const std::vector<Table>& items);
/// `u32 length ‖ batch ‖ zeros`, padded as E2E-040 says.
Bytes letter_plaintext(View batch);
Bytes letter_body(View prekey, View header, View plaintext);

}  // namespace conformance
