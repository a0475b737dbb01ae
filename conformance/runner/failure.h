// How a case ends early. Cases are scripts: an exception is how a script stops (this suite is no
// library).
#pragma once

#include <stdexcept>
#include <string>

namespace conformance {

/// The target did something else than the requirement says.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The target did something that the requirement tolerates and the text advises against.
struct NonStrict : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The requirement says nothing about this target or this way of reaching it.
struct NotApplicable : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The case could not be run: nothing is known about the target.
struct NotRun : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace conformance
