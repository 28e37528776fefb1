"""The simulated WHMCS on an address of this machine: `python -m customers.whmcs.simulator --port 8099`."""

from __future__ import annotations

import argparse
import os
import sys
from threading import Event

from customers.whmcs.simulator.arrivals import let_clients_arrive
from customers.whmcs.simulator.records import example_records
from customers.whmcs.simulator.server import Simulator, running

NEVER = 10**9


def main() -> None:
    """Runs until it is interrupted; hooks are signed with WHMCS_WEBHOOK_SECRET."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--clients", type=int, default=25)
    parser.add_argument("--arrive-every", type=float, default=NEVER, help="Seconds between new clients.")
    parser.add_argument("--hooks", default="http://127.0.0.1:8000/hooks/whmcs/", help="Where hooks are sent to.")
    options = parser.parse_args()
    with running(Simulator(records=example_records(options.clients)), port=options.port) as simulator:
        report(f"Simulated WHMCS (built from the documentation) at {simulator.url}\n")
        try:
            let_clients_arrive(
                simulator,
                every=options.arrive_every,
                hooks=options.hooks,
                secret=os.environ.get("WHMCS_WEBHOOK_SECRET", ""),
                until=Event(),
                report=report,
            )
        except KeyboardInterrupt:
            return


def report(line: str) -> None:
    """Printed at once."""
    sys.stdout.write(line)
    sys.stdout.flush()


main()
