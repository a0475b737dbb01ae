"""Runs every scenario against one broker: check.py BUILD_DIR. The last line is the tally."""

import sys
import time
import traceback

import scenarios_conversations  # noqa: F401 (they register themselves)
import scenarios_envelopes  # noqa: F401
import scenarios_frames  # noqa: F401
import scenarios_identity  # noqa: F401
import scenarios_mailbox  # noqa: F401
import scenarios_refusals  # noqa: F401
import scenarios_session  # noqa: F401
from broker import Broker
from scenario import SCENARIOS, World


def run(scenarios, broker):
    """The number of those that fail."""
    failed = 0
    for title, function, bound in scenarios:
        started = time.monotonic()
        try:
            function(World(broker), bound)
            verdict = "ok  "
        except Exception:  # any failure of a scenario is its verdict
            traceback.print_exc()
            verdict, failed = "FAIL", failed + 1
        print(f"{verdict} {title} ({time.monotonic() - started:.2f} s)", flush=True)
    return failed


def main():
    wanted = sys.argv[2:]
    scenarios = [s for s in SCENARIOS if not wanted or any(w in s[0] for w in wanted)]
    with Broker(sys.argv[1]) as broker:
        failed = run(scenarios, broker)
        if failed:
            print(broker.log_tail(), file=sys.stderr)
    print(f"{len(scenarios) - failed} passed, {failed} failed")
    return 1 if failed or not scenarios else 0


if __name__ == "__main__":
    sys.exit(main())
