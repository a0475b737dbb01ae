// A case: one way to find out whether a target keeps one requirement.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace conformance {

class AdapterHost;
class Host;
class Run;

enum class Verdict { pass, fail, non_strict, not_applicable, not_run };
std::string name_of(Verdict verdict);

enum class Level { must, should, may };

/// How the broker is reached: bound and sealed on WebSocket, the same on ZeroMQ.
enum Way : unsigned { kBound = 1, kSealed = 2, kCurve = 4, kCurveSealed = 8 };
inline constexpr unsigned kAllWays = kBound | kSealed | kCurve;
std::string name_of(Way way);

enum class Pace {
  quick,
  slow,   // waits for a clock: runs beside the others
  alone,  // changes the target for all: runs last, by itself
};

struct Case {
  std::string id;       // the requirement's id, a dot, what is varied: never renamed, never reused
  std::string steps;    // what is done
  std::string expects;  // what must come of it, to the code
  std::function<void(Run&)> run = {};
  std::vector<std::string> also = {};  // requirements that it shows beside its own
  unsigned ways = kAllWays;
  Pace pace = Pace::quick;
  std::string profile = "core";  // core, durable, websocket, bridged
  Level level = Level::must;
  std::function<void(Host&)> host = {};            // instead of `run`: the target is an agent
  std::function<void(AdapterHost&)> adapter = {};  // or an adapter

  /// The requirement's id; `rfc6455` for cases of that text, `bridge` for those of CONTRACT.md.
  std::string requirement() const { return id.substr(0, id.find('.')); }
};

using Cases = std::vector<Case>;

/// Every case, chapter by chapter.
const Cases& all_cases();

Cases adapter_cases();
Cases agent_session_cases();
Cases agent_frame_cases();
Cases agent_letter_cases();
Cases agent_key_cases();
Cases agent_opening_cases();
Cases frame_cases();
Cases session_cases();
Cases key_cases();
Cases envelope_cases();
Cases chain_cases();
Cases acceptance_cases();
Cases mailbox_cases();
Cases call_cases();
Cases error_cases();
Cases channel_cases();
Cases durable_cases();
Cases exploit_cases();
Cases rfc6455_cases();
Cases rfc6455_upgrade_cases();

}  // namespace conformance
