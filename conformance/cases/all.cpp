#include "conformance/runner/case.h"

namespace conformance {

const Cases& all_cases() {
  static const Cases all = [] {
    Cases joined;
    for (Cases (*chapter)() : {frame_cases,
                               session_cases,
                               channel_cases,
                               key_cases,
                               envelope_cases,
                               chain_cases,
                               acceptance_cases,
                               mailbox_cases,
                               call_cases,
                               error_cases,
                               durable_cases,
                               exploit_cases,
                               rfc6455_upgrade_cases,
                               rfc6455_cases,
                               agent_session_cases,
                               agent_frame_cases,
                               agent_letter_cases,
                               agent_key_cases,
                               agent_opening_cases,
                               adapter_cases})
      for (Case& one : chapter())
        joined.push_back(std::move(one));
    return joined;
  }();
  return all;
}

}  // namespace conformance
