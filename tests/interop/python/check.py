"""Runs every scenario against one broker: check.py BUILD_DIR. The last line is the tally."""

import sys
import time
import traceback
from collections import Counter

import scenarios_conversations  # noqa: F401 (they register themselves)
import scenarios_edges  # noqa: F401
import scenarios_envelopes  # noqa: F401
import scenarios_frames  # noqa: F401
import scenarios_identity  # noqa: F401
import scenarios_mailbox  # noqa: F401
import scenarios_refusals  # noqa: F401
import scenarios_session  # noqa: F401
from broker import Broker
from scenario import SCENARIOS, World


def run(scenario, broker):
    """The verdict, told."""
    started = time.monotonic()
    try:
        scenario.function(World(broker), scenario.bound)
        verdict = "ok"
    except Exception:  # any failure of a scenario is its verdict
        verdict = "FAIL"
        traceback.print_exc()
    print(f"{verdict:4} {scenario.title} ({time.monotonic() - started:.2f} s)", flush=True)
    return verdict


def main():
    wanted = sys.argv[2:]
    scenarios = [s for s in SCENARIOS if not wanted or any(w in s.title for w in wanted)]
    with Broker(sys.argv[1]) as broker:
        verdicts = Counter(run(scenario, broker) for scenario in scenarios)
        if verdicts["FAIL"]:
            print(broker.log_tail(), file=sys.stderr)
    print(f"{verdicts['ok']} passed, {verdicts['FAIL']} failed")
    return 0 if verdicts["ok"] and not verdicts["FAIL"] else 1


if __name__ == "__main__":
    sys.exit(main())
