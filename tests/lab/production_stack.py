"""compose.yaml as it ships, in a clean clone, with the images that the lab has built."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives import serialization
from django.conf import settings
from requests.adapters import HTTPAdapter

from live.demo.cast import QUIET, SELLER
from tests.chaos.database import free_port
from tests.lab.authority import Authority

HOST = "stack.local"
BUILD_SECONDS = 900  # the first build; `deploy/lab/up` has begun it
FOLLOWED = ("web", "worker", "database", "gateway")
PREPARE = """
from live.demo.cast import CUSTOMER_EMAIL, assemble
from infrastructure.sandbox.models import SandboxSwitches
cast = assemble()
SandboxSwitches.objects.update(build_seconds=0.5, launch_seconds=0.5)
from customers.services import issue_token
from core import clock
from datetime import timedelta
print("token", issue_token(user=cast.staff, name="lab", expires_at=clock.now() + timedelta(hours=1))[1])
print("customer", cast.customer.number)
"""


class AnyName(HTTPAdapter):
    """Reaches the gateway at a port of the loopback, and takes its certificate by the name of the site."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """The pool asks for the site's name in TLS."""
        super().init_poolmanager(*arguments, **options, server_hostname=HOST, assert_hostname=HOST)


class Stack:
    """The containers of one project; `down` leaves nothing of them."""

    def __init__(self, folder: Path) -> None:
        self.project, self.port = f"live-stack-{secrets.token_hex(4)}", free_port()
        self.clone = folder / "clone"
        subprocess.run(["git", "clone", "--quiet", str(settings.BASE_DIR), str(self.clone)], check=True)
        build = [str(settings.BASE_DIR / "deploy/lab/stack/build"), str(self.clone)]
        subprocess.run(build, check=True, timeout=BUILD_SECONDS)
        self.authority = Authority(folder)
        private = self.authority.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        (folder / "authority.key").write_bytes(private)
        self._environment = {**os.environ, "LAB_AUTHORITY": str(folder), "LAB_PORT": str(self.port)}
        shutil.copyfile(self.clone / ".env.example", self.clone / ".env")
        self.configure(
            {
                "SECRET_KEY": secrets.token_hex(32),
                "POSTGRES_PASSWORD": secrets.token_hex(16),
                "LIVE_HOST": HOST,
                "ALLOWED_HOSTS": f"{HOST},127.0.0.1",
                "SITE_URL": f"https://{HOST}",
                "EMAIL_URL": "consolemail://",
                "TASK_TIMEOUT": "20",  # and so no row is held for longer when its worker is killed
                "WORKER_STALLED_AFTER": "30",
                **SELLER,
                **QUIET,
            }
        )
        self.headers: dict[str, str] = {}
        self.customer = ""

    def configure(self, values: Mapping[str, str]) -> None:
        """More lines in `.env`; the last one of a name counts."""
        with (self.clone / ".env").open("a") as env:
            env.writelines(f"{name}={value}\n" for name, value in values.items())

    def compose(self, *arguments: str, stdin: str = "") -> str:
        """What `docker compose` prints on its standard output."""
        files = ["--file", "compose.yaml", "--file", "deploy/lab/stack/compose.yaml"]
        command = ["docker", "compose", "--project-name", self.project, *files, *arguments]
        ran = subprocess.run(
            command, cwd=self.clone, env=self._environment, input=stdin, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr[-3000:]
        return ran.stdout

    def up(self) -> None:
        """It serves, and has people who use it."""
        self.compose("up", "--detach", "--no-build")
        wait_until(self, self.is_ready, "ready", 240)
        printed = self.compose("exec", "-T", "web", "python", "manage.py", "shell", "--no-imports", stdin=PREPARE)
        found = dict(line.split() for line in printed.splitlines() if line.startswith(("token ", "customer ")))
        self.headers, self.customer = {"Authorization": f"Bearer {found['token']}"}, found["customer"]

    def down(self) -> None:
        """Containers, networks and volumes are gone."""
        self.compose("down", "--volumes", "--timeout", "3")

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer of the site through its gateway, whose certificate is checked."""
        with requests.Session() as session:
            session.trust_env = False  # a bundle of the machine's own would take the place of the authority
            session.mount("https://", AnyName())
            session.verify = str(self.authority.file)
            headers = {"Host": HOST, **self.headers, **options.pop("headers", {})}
            return session.request(
                method, f"https://127.0.0.1:{self.port}{path}", headers=headers, timeout=90, **options
            )

    def is_ready(self) -> bool:
        """The page of health is green."""
        try:
            return self.ask("GET", "/readyz").status_code == 200
        except requests.RequestException:
            return False

    def place(self, name: str) -> str:
        """The reference of an order that a program has placed."""
        order = {
            "customer": self.customer,
            "product": "sdi-lite",
            "plan": "small",
            "name": name,
            "sandbox": True,
            "inputs": {"title": name, "contact_email": "jan@waterschap.example"},
        }
        answer = self.ask("POST", "/api/v1/orders/", json=order, headers={"Idempotency-Key": secrets.token_hex(8)})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["reference"])

    def order(self, reference: str) -> dict[str, Any]:
        """The order, as the API shows it; empty while the site is away."""
        try:
            answer = self.ask("GET", f"/api/v1/orders/{reference}/")
        except requests.RequestException:
            return {}
        return dict(answer.json()) if answer.status_code == 200 else {}

    def kill(self, service: str) -> None:
        """The first process of its container is killed from outside, as by a lack of memory.

        `docker kill` would count as the wish of a person, after which nothing is started again.
        """
        container = self.compose("ps", "--quiet", service).strip()
        inspect = ["docker", "inspect", "--format", "{{.State.Pid}}", container]
        pid = int(subprocess.run(inspect, capture_output=True, text=True, check=True).stdout)
        os.kill(pid, signal.SIGKILL)


def wait_until(stack: Stack, holds: Any, goal: str, seconds: float) -> None:
    """`holds` has become true; fails with the last lines of every log otherwise."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"not {goal} within {seconds:.0f} s\n{stack.compose('logs', '--tail', '15')}"
        time.sleep(0.3)
