#include "conformance/runner/campaign.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "conformance/runner/adapter.h"
#include "conformance/runner/host.h"
#include "conformance/runner/run.h"

namespace conformance {
namespace {

struct Job {
  const Case* of;
  Way way;
  std::size_t at;  // in outcomes
};

enum class Target { broker, agent, adapter };
Target target_of(const Settings& settings) {
  if (!settings.adapter_command.empty()) return Target::adapter;
  return settings.agent_command.empty() ? Target::broker : Target::agent;
}
Target target_of(const Case& one) {
  if (one.adapter) return Target::adapter;
  return one.host ? Target::agent : Target::broker;
}

// The ways of the case that the target offers.
std::vector<Way> ways_of(const Case& one, const Settings& settings) {
  std::vector<Way> ways;
  if (target_of(settings) == Target::adapter) return {kBound};
  for (const Way way : {kBound, kSealed, kCurve, kCurveSealed}) {
    const bool there = !settings.agent_command.empty()   ? way == kBound || way == kSealed
                       : way == kBound || way == kSealed ? settings.websocket.has_value()
                                                         : settings.zeromq.has_value();
    if ((one.ways & way) != 0 && there) ways.push_back(way);
  }
  return ways;
}

void run_one(const Settings& settings, Sponsor& sponsor, const Job& job, Outcome& outcome) {
  const auto began = std::chrono::steady_clock::now();
  Trace::begin();
  try {
    if (job.of->adapter) {
      AdapterHost host(settings);
      job.of->adapter(host);
    } else if (job.of->host) {
      Host host(settings, job.way == kSealed);
      job.of->host(host);
    } else {
      Run run(settings, job.way, sponsor);
      job.of->run(run);
    }
    outcome.verdict = Verdict::pass;
  } catch (const NonStrict& told) {
    outcome.verdict = Verdict::non_strict;
    outcome.detail = told.what();
  } catch (const NotApplicable& told) {
    outcome.verdict = Verdict::not_applicable;
    outcome.detail = told.what();
  } catch (const NotRun& told) {
    outcome.verdict = Verdict::not_run;
    outcome.detail = told.what();
  } catch (const SessionClosed& told) {
    outcome.verdict = Verdict::fail;
    outcome.detail = std::string("the target ended a session: ") + told.what();
  } catch (const std::exception& told) {
    outcome.verdict = Verdict::fail;
    outcome.detail = told.what();
  }
  outcome.trace = Trace::take();
  if (outcome.verdict != Verdict::fail && outcome.verdict != Verdict::non_strict)
    outcome.trace.clear();
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

bool something_listens(const Settings& settings) {
  if (target_of(settings) != Target::broker) return true;  // each case finds out for itself
  try {
    dial(settings.websocket ? *settings.websocket : *settings.zeromq)->drop();
    return true;
  } catch (const NotRun&) {
    return false;
  } catch (const std::exception&) {
    return true;  // what it does wrong the cases will say
  }
}

}  // namespace

bool Selection::takes(const Case& one) const {
  const auto named = [&one](const std::string& wanted) { return one.id.starts_with(wanted); };
  return (only.empty() || std::any_of(only.begin(), only.end(), named)) &&
         (profiles.empty() ||
          std::find(profiles.begin(), profiles.end(), one.profile) != profiles.end());
}

std::size_t Campaign::count(Verdict verdict) const {
  return static_cast<std::size_t>(
      std::count_if(outcomes.begin(), outcomes.end(),
                    [verdict](const Outcome& o) { return o.verdict == verdict; }));
}

bool Campaign::good() const {
  return count(Verdict::pass) != 0 && pleasant_surprises().empty() &&
         std::all_of(outcomes.begin(), outcomes.end(), [](const Outcome& o) {
           return o.expected || (o.verdict != Verdict::fail && o.verdict != Verdict::not_run);
         });
}

std::vector<std::string> Campaign::pleasant_surprises() const {
  std::vector<std::string> names;
  for (const Outcome& o : outcomes)
    if (o.expected && o.verdict != Verdict::fail && o.verdict != Verdict::not_run)
      names.push_back(o.name);
  return names;
}

Campaign run_campaign(const Settings& settings, const Selection& selection,
                      const std::function<void(const Outcome&, std::size_t, std::size_t)>& told) {
  const auto began = std::chrono::steady_clock::now();
  Campaign campaign;
  std::vector<Job> quick, slow, alone;
  for (const Case& one : all_cases()) {
    if (!selection.takes(one) || target_of(one) != target_of(settings)) continue;
    const auto ways = ways_of(one, settings);
    if (ways.empty())
      campaign.outcomes.push_back({&one,
                                   one.id,
                                   Verdict::not_applicable,
                                   "the target was not given on this channel",
                                   0,
                                   {},
                                   false});
    for (const Way way : ways) {
      auto& jobs = one.pace == Pace::quick ? quick : one.pace == Pace::slow ? slow : alone;
      jobs.push_back({&one, way, campaign.outcomes.size()});
      Outcome outcome;
      outcome.of = &one;
      outcome.name = one.adapter ? one.id : one.id + "@" + name_of(way);
      outcome.expected = selection.expected_failures.contains(outcome.name) ||
                         selection.expected_failures.contains(one.id);
      campaign.outcomes.push_back(std::move(outcome));
    }
  }
  const std::size_t total = quick.size() + slow.size() + alone.size();
  if (!something_listens(settings)) {
    for (Outcome& outcome : campaign.outcomes)
      if (outcome.verdict == Verdict::not_run) outcome.detail = "nothing listens at the target";
    return campaign;
  }

  std::mutex telling;
  std::size_t finished = 0;
  const auto work = [&](const std::vector<Job>& jobs, std::atomic<std::size_t>& next) {
    Sponsor sponsor(settings);
    for (std::size_t i = next++; i < jobs.size(); i = next++) {
      Outcome& outcome = campaign.outcomes[jobs[i].at];
      run_one(settings, sponsor, jobs[i], outcome);
      const std::lock_guard lock(telling);
      told(outcome, ++finished, total);
    }
  };
  std::atomic<std::size_t> next_quick = 0, next_slow = 0, next_alone = 0;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min<std::size_t>(slow.size(), 48); ++i)
    threads.emplace_back([&] { work(slow, next_slow); });
  for (unsigned i = 0; i < selection.threads; ++i)
    threads.emplace_back([&] { work(quick, next_quick); });
  threads.clear();
  work(alone, next_alone);
  campaign.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return campaign;
}

}  // namespace conformance
