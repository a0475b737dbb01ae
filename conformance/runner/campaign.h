// A run of many cases against one target: what is run, beside what, and what came of it.
#pragma once

#include <set>

#include "conformance/runner/case.h"
#include "conformance/runner/settings.h"
#include "conformance/runner/trace.h"

namespace conformance {

struct Outcome {
  const Case* of = nullptr;
  std::string name;  // the case's id, and the way after an @
  Verdict verdict = Verdict::not_run;
  std::string detail;
  double seconds = 0;
  std::vector<TraceLine> trace;
  bool expected = false;  // its failure is listed
};

struct Selection {
  std::vector<std::string> only;  // ids or beginnings of ids
  std::vector<std::string> profiles;
  std::set<std::string> expected_failures;
  unsigned threads = 4;

  bool takes(const Case& one) const;
};

struct Campaign {
  std::vector<Outcome> outcomes;
  double seconds = 0;

  std::size_t count(Verdict verdict) const;
  /// Nothing failed that was not listed, nothing listed passed, nothing that was asked for was left
  /// out, and something passed.
  bool good() const;
  /// Names that were listed as failing and did not fail.
  std::vector<std::string> pleasant_surprises() const;
};

/// `told` is called after each case, from any thread, one at a time.
Campaign run_campaign(const Settings& settings, const Selection& selection,
                      const std::function<void(const Outcome&, std::size_t, std::size_t)>& told);

}  // namespace conformance
