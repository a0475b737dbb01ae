#include "broker/metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <vector>

namespace sealwire::broker {
namespace {

struct Named {
  const char* name;
  const char* help;
  const Counter Metrics::*value;
};
constexpr Named kCounters[] = {
    {"sealwire_handshakes_started_total", "Handshakes begun.", &Metrics::handshakes_started},
    {"sealwire_handshakes_failed_total", "Handshakes that did not prove a key.",
     &Metrics::handshakes_failed},
    {"sealwire_handshakes_limited_total", "Handshakes refused by the limit of their address.",
     &Metrics::handshakes_limited},
    {"sealwire_sessions_opened_total", "Sessions opened.", &Metrics::sessions_opened},
    {"sealwire_sessions_replaced_total", "Sessions closed by a newer one of the same key.",
     &Metrics::sessions_replaced},
    {"sealwire_sessions_timed_out_total", "Sessions closed for silence.",
     &Metrics::sessions_timed_out},
    {"sealwire_frames_received_total", "Frames of sessions.", &Metrics::frames_received},
    {"sealwire_frames_refused_total", "Frames that ended their session.", &Metrics::frames_refused},
    {"sealwire_envelopes_received_total", "Envelopes sent to the broker.",
     &Metrics::envelopes_received},
    {"sealwire_envelopes_accepted_total", "Envelopes accepted, on disk.",
     &Metrics::envelopes_accepted},
    {"sealwire_envelopes_repeated_total", "Envelopes accepted again without being stored again.",
     &Metrics::envelopes_repeated},
    {"sealwire_envelopes_rejected_total", "Envelopes refused to their sender.",
     &Metrics::envelopes_rejected},
    {"sealwire_envelopes_expired_total", "Envelopes that expired in a mailbox.",
     &Metrics::envelopes_expired},
    {"sealwire_envelopes_withheld_total", "Waiting envelopes whose sender lost the right.",
     &Metrics::envelopes_withheld},
    {"sealwire_transients_dropped_total", "Transient envelopes that could not be handed on.",
     &Metrics::transients_dropped},
    {"sealwire_accepted_bytes_total", "Bytes of accepted envelopes.", &Metrics::accepted_bytes},
    {"sealwire_entries_delivered_total", "Mailbox entries sent to their owner.",
     &Metrics::entries_delivered},
    {"sealwire_entries_delivered_live_total", "Those of them sent from memory.",
     &Metrics::entries_delivered_live},
    {"sealwire_entries_acknowledged_total", "Mailbox entries acknowledged by their owner.",
     &Metrics::entries_acknowledged},
    {"sealwire_delivered_bytes_total", "Bytes of items sent to their owner.",
     &Metrics::delivered_bytes},
    {"sealwire_calls_total", "Directory and policy calls.", &Metrics::calls},
    {"sealwire_calls_refused_total", "Calls answered with an error.", &Metrics::calls_refused},
    {"sealwire_store_batches_committed_total", "Batches on disk.", &Metrics::batches_committed},
    {"sealwire_store_batches_failed_total", "Batches that the store refused.",
     &Metrics::batches_failed},
    {"sealwire_store_ops_committed_total", "Operations in committed batches.",
     &Metrics::ops_committed},
    {"sealwire_overloads_total", "Connections closed because a bound was reached.",
     &Metrics::overloads},
};

struct NamedGauge {
  const char* name;
  const char* help;
  const Gauge Metrics::*value;
};
constexpr NamedGauge kGauges[] = {
    {"sealwire_connections", "Open connections, proven or not.", &Metrics::connections},
    {"sealwire_sessions", "Open sessions.", &Metrics::sessions},
    {"sealwire_queued_events", "Events waiting for the router.", &Metrics::queued_events},
    {"sealwire_queued_bytes", "Bytes of those events.", &Metrics::queued_bytes},
    {"sealwire_agents", "Agents known.", &Metrics::agents},
    {"sealwire_conversations_cached", "Conversations held in memory.",
     &Metrics::conversations_cached},
};

prometheus::MetricFamily counter(const char* name, const char* help, double value) {
  prometheus::ClientMetric metric;
  metric.counter.value = value;
  return {name, help, prometheus::MetricType::Counter, {metric}};
}

prometheus::MetricFamily gauge(const char* name, const char* help, double value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  return {name, help, prometheus::MetricType::Gauge, {metric}};
}

}  // namespace

std::string metrics_text(const Metrics& metrics) {
  std::vector<prometheus::MetricFamily> families;
  for (const Named& each : kCounters)
    families.push_back(
        counter(each.name, each.help, static_cast<double>((metrics.*each.value).load())));
  for (const NamedGauge& each : kGauges)
    families.push_back(
        gauge(each.name, each.help, static_cast<double>((metrics.*each.value).load())));
  families.push_back(counter("sealwire_store_commit_seconds_total", "Time spent in commits.",
                             static_cast<double>(metrics.commit_microseconds.load()) / 1e6));
  auto build = gauge("sealwire_build_info", "1; the version is its label.", 1);
  build.metric[0].label = {{"version", SEALWIRE_VERSION}};
  families.push_back(std::move(build));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace sealwire::broker
