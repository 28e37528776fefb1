"""A monitoring backend in a dict, with switches for its failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core import clock
from core.errors import OutsideError, PermanentError, TransientError
from core.outside.check_failure import CheckFailure, FailureKind
from monitoring.contracts.backend import Health, MonitorLeftBehind, MonitorSpec, Reading, Registered, WindowSpec

REFUSED = CheckFailure(kind=FailureKind.CONNECTION_REFUSED)


def http_failure(status: int) -> CheckFailure:
    """Another status than the expected 200."""
    return CheckFailure(kind=FailureKind.STATUS, status=status, expected=200)


@dataclass
class Host:
    """What stands of one key."""

    outside_id: str
    spec: MonitorSpec
    paused: bool = False


class FakeBackend:
    """Implements `MonitorBackend`; set the switches as attributes, inspect `hosts` and `calls` afterwards."""

    name = "builtin"
    address = ""
    page = 200

    def __init__(self, *, lose_reply: bool = False, outage: bool = False) -> None:
        self.hosts: dict[str, Host] = {}
        self.windows: dict[str, WindowSpec] = {}
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.created = 0
        self.lose_reply = lose_reply
        """The next change happens, but its reply is lost."""
        self.outage = outage
        """Nothing answers."""
        self.refuse: dict[str, str] = {}
        """Keys that are refused for good, and the words."""
        self.remarks: dict[str, str] = {}
        """Keys of which staff should know something, though they are registered."""
        self.down: dict[tuple[str, str], CheckFailure] = {}
        """(key, check) pairs that fail, and why."""
        self.certificates: dict[tuple[str, str], datetime] = {}
        """(key, check) pairs whose certificate is known, and when it expires."""

    def test_connection(self) -> str:
        self._call("test_connection")
        return f"a fake backend with {len(self.hosts)} hosts"

    def ensure_monitors(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Registered | OutsideError]:
        self._call("ensure_monitors", [spec.key for spec in specs])
        answers = {spec.key: self._ensure(spec) for spec in specs}
        self._reply()
        return answers

    def pause_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        self._call("pause_monitors", keys)
        for key in keys:
            if key in self.hosts and key not in self.refuse:
                self.hosts[key].paused = True
        self._reply()
        return self._refused(keys)

    def remove_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        self._call("remove_monitors", keys)
        for key in keys:
            if key not in self.refuse:
                self.hosts.pop(key, None)
        self._reply()
        return self._refused(keys)

    def ensure_windows(self, specs: Sequence[WindowSpec]) -> Mapping[str, str | OutsideError]:
        self._call("ensure_windows", [spec.key for spec in specs])
        self.windows |= {spec.key: spec for spec in specs if spec.key not in self.refuse}
        self._reply()
        made = {spec.key: f"window-{spec.key}" for spec in specs}
        return {**made, **self._refused(list(made))}

    def remove_windows(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        self._call("remove_windows", keys)
        for key in keys:
            if key not in self.refuse:
                self.windows.pop(key, None)
        self._reply()
        return self._refused(keys)

    def read_states(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Mapping[str, Reading]]:
        self._call("read_states", [spec.key for spec in specs])
        return {key: self._readings(self.hosts[key]) for spec in specs if (key := spec.key) in self.hosts}

    def left_behind(self, keys: Sequence[str]) -> Mapping[str, Sequence[MonitorLeftBehind]]:
        self._call("left_behind", keys)
        return {key: [MonitorLeftBehind(kind="host", name=key)] for key in keys if key in self.hosts}

    def _ensure(self, spec: MonitorSpec) -> Registered | OutsideError:
        if spec.key in self.refuse:
            return PermanentError(self.refuse[spec.key])
        if spec.key not in self.hosts:
            self.created += 1
            self.hosts[spec.key] = Host(outside_id=f"fake-{self.created}", spec=spec)
        host = self.hosts[spec.key]
        host.spec, host.paused = spec, False
        return Registered(outside_id=host.outside_id, remark=self.remarks.get(spec.key, ""))

    def _readings(self, host: Host) -> Mapping[str, Reading]:
        if host.paused:
            return {}
        return {check.key: self._reading(host.spec.key, check.key) for check in host.spec.checks}

    def _reading(self, key: str, check: str) -> Reading:
        failure = self.down.get((key, check))
        health = Health.DOWN if failure else Health.UP
        until = self.certificates.get((key, check))
        return Reading(health=health, at=clock.now(), failure=failure, seconds=0.02, certificate_until=until)

    def _refused(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        return {key: PermanentError(self.refuse[key]) for key in keys if key in self.refuse}

    def _call(self, name: str, keys: Sequence[str] = ()) -> None:
        self.calls.append((name, tuple(keys)))
        if self.outage:
            raise TransientError("the backend cannot be reached")

    def _reply(self) -> None:
        if self.lose_reply:
            self.lose_reply = False
            raise TransientError("the backend did not answer in time")
