"""`manage.py demo`: see the whole platform work on this machine, without a credential."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers.whmcs.services import request_sync
from live.demo import story
from live.demo.cast import CUSTOMER_EMAIL, QUIET, SELLER, STAFF_NAME, STAFF_PASSWORD, Cast, assemble, whmcs_settings
from live.demo.company import complete_company, found_company
from live.demo.gitlab.catalogue import DemoGitLab, demo_gitlab
from live.demo.processes import DemoFailed, Killer, Processes, port_to_listen_on
from orders.choices import State
from orders.models import Order

DEFAULT_PORT = 8000
ANY_PORT = 0


class Command(BaseCommand):
    """Sets everything up, starts the site and a worker, and drives an order; keeps running unless `--once`."""

    help = __doc__
    _is_interrupted = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Once or for good, for people or for programs."""
        parser.add_argument("--once", action="store_true", help="Drive one order from draft to removed, and stop.")
        parser.add_argument("--json", action="store_true", help="Print the summary as JSON on standard output.")
        parser.add_argument("--kill-worker", type=int, default=0, help="Kill the worker so many times on the way.")
        parser.add_argument("--gitlab", action="store_true", help="Take the catalogue from a double of GitLab.")
        parser.add_argument("--product", default=story.PRODUCT, help="The slug of the product that is ordered.")
        parser.add_argument("--whmcs", action="store_true", help="Start a simulated WHMCS, whose clients arrive here.")
        parser.add_argument("--port", type=int, help="Where the site listens: 8000, or any free port with --once.")

    def handle(self, *args: Any, **options: Any) -> None:
        """The order went all the way, or the command fails and says where."""
        # A closed terminal ends the demo as Ctrl-C does; a shell that starts it in the background hides Ctrl-C from it.
        for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signal_number, self._interrupt)
        self._json, self._product = options["json"], options["product"]
        try:
            port = port_to_listen_on(_wished_port(options))
            settings.SITE_URL = f"http://127.0.0.1:{port}"
            with demo_gitlab(Path(settings.VAR_DIR) / "gitlab") if options["gitlab"] else nullcontext() as gitlab:
                self._run(port, gitlab, options)
        except DemoFailed as error:
            raise CommandError(str(error), returncode=2) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted; nothing of it runs any more.", returncode=130) from None

    def _run(self, port: int, gitlab: DemoGitLab | None, options: dict[str, Any]) -> None:
        self._report("Preparing the database and the catalogue …")
        call_command("setup", stdout=self.stderr)
        cast = assemble()
        self._report("Starting the site and a worker …")
        whmcs_port = port_to_listen_on(ANY_PORT) if options["whmcs"] else None
        defaults = {**SELLER, **QUIET, **(whmcs_settings(whmcs_port) if whmcs_port else {})}
        with Processes(port=port, defaults=defaults) as processes:
            self._report(f"The site runs at {processes.url}")
            if whmcs_port:
                self._start_whmcs(processes, whmcs_port)
            if gitlab is not None:
                gitlab.call_on_push(processes.url)
                self._report(f"The catalogue comes from {gitlab.clone_url}; push to it, and it is synced.")
            look = Killer(processes, options["kill_worker"]) if options["kill_worker"] else processes.check

            def watch() -> None:
                self._stop_if_asked()
                look()

            if options["once"]:
                self._once(cast, watch)
            else:
                self._stay(cast, processes, watch)

    def _interrupt(self, number: int, frame: FrameType | None) -> NoReturn:
        self._is_interrupted = True
        raise KeyboardInterrupt

    def _stop_if_asked(self) -> None:
        """Raises once more what Python ignored: an exception is lost while an object is being finalised."""
        if self._is_interrupted:
            raise KeyboardInterrupt

    def _start_whmcs(self, processes: Processes, port: int) -> None:
        processes.start_whmcs(port)
        request_sync()
        self._report(
            f"A simulated WHMCS runs at http://127.0.0.1:{port}/whmcs; its clients arrive under Customers in the "
            "admin, and another every half minute (log/whmcs.log)."
        )

    def _once(self, cast: Cast, watch: Callable[[], None]) -> None:
        order = self._activate(cast, watch)
        endpoints = story.check_results(order)
        self._report("Removing it again …")
        story.remove_and_wait(order, cast, watch=watch)
        summary = story.summary(order, endpoints=endpoints)
        self.stdout.write(json.dumps(summary, indent=2) if self._json else self._as_text(summary))
        if summary["left_behind"]:
            raise CommandError(f"Left behind: {', '.join(summary['left_behind'])}")

    def _activate(self, cast: Cast, watch: Callable[[], None]) -> Order:
        order = story.start_order(cast, product=self._product)
        self._report(f"Order {order.reference} is placed; waiting until it is active …")
        story.wait_for(order, State.ACTIVE, watch=watch)
        story.wait_until(lambda: story.is_quiet(order), "everything is settled", watch=watch, order=order)
        self._report(f"Order {order.reference} is active.")
        return order

    def _stay(self, cast: Cast, processes: Processes, watch: Callable[[], None]) -> None:
        company = found_company(cast)  # its orders are provisioned beside the customer's own
        order = self._activate(cast, watch)
        if company is not None:
            self._report("Adding customers, invoices, an outage and two months of history …")
            for awaited in company.awaited:
                story.wait_for(awaited, State.ACTIVE, watch=watch)
            complete_company(cast, company)
        self.stdout.write(
            f"""
  Portal   {processes.url}/            sign in as {CUSTOMER_EMAIL}; the code arrives in {settings.VAR_DIR}/mail/
  Admin    {processes.url}/admin/      use a password: {STAFF_NAME}, {STAFF_PASSWORD}
  API      {processes.url}/api/docs/
  Order    {processes.url}/orders/{order.reference}/
  Logs     {settings.VAR_DIR}/log/

  Stop with Ctrl-C. The data stays in {settings.VAR_DIR}."""
        )
        try:
            while True:
                watch()
                time.sleep(1)
        except KeyboardInterrupt:
            self._report("Stopped.")

    def _report(self, message: str) -> None:
        """Progress goes to standard error when standard output is for a program."""
        (self.stderr if self._json else self.stdout).write(message)

    def _as_text(self, summary: dict[str, Any]) -> str:
        states = "\n".join(f"  {change['at'][11:19]}  {change['state']}" for change in summary["states"])
        return f"Order {summary['order']}:\n{states}\nLeft behind: {summary['left_behind'] or 'nothing'}"


def _wished_port(options: dict[str, Any]) -> int:
    if options["port"] is not None:
        return int(options["port"])
    return ANY_PORT if options["once"] else DEFAULT_PORT
