// What the FlatBuffers verifier does not check: union tags, enum values, fixed sizes, counts.
#pragma once

#include "protocol/error.h"
#include "protocol/schema/frame_generated.h"

namespace sealwire {

/// Fails with frame_unknown (a tag of a later version) or frame_field.
Result<> check_fields(const wire::Frame& frame);

}  // namespace sealwire
