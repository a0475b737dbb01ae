// What the broker counts, as Prometheus reads it.
#pragma once

#include <string>

#include "broker/metrics.h"

namespace sealwire::broker {

/// Text exposition format 0.0.4. Base units; no name or id of an agent, address or conversation.
std::string metrics_text(const Metrics& metrics);

}  // namespace sealwire::broker
