"""Machines that answer over SSH, in a dict, with switches for what may go wrong."""

from __future__ import annotations

from collections import defaultdict

import pytest

from core.errors import TransientError
from infrastructure.adapters.ssh.hosts import Bootstrap, HostFacts, HostKeyChanged, SshTarget


class FakeSsh:
    """Stands in for `infrastructure.adapters.ssh.hosts`; what it was asked is in `asked`."""

    def __init__(self) -> None:
        self.asked: list[SshTarget] = []
        self.silent: set[str] = set()
        """Addresses that do not answer."""
        self.host_keys: dict[str, str] = {}
        """The key that an address shows, where it is not the pinned one."""
        self.bootstraps: dict[str, list[Bootstrap]] = defaultdict(list)
        """What an address says of its set-up, in turn; then it is done."""
        self.facts = HostFacts(
            docker="27.0", compose="2.29", cpus=8, ram_gb=32, disk_gb=400, disk_free_gb=300, system="Debian 12"
        )

    def replace(self, monkeypatch: pytest.MonkeyPatch) -> FakeSsh:
        """The room asks this fake from now on."""
        monkeypatch.setattr("infrastructure.adapters.ssh.hosts.bootstrap_of", self.bootstrap_of)
        monkeypatch.setattr("infrastructure.adapters.ssh.hosts.facts_of", self.facts_of)
        return self

    def bootstrap_of(self, target: SshTarget) -> Bootstrap:
        self._reach(target)
        shown = self.bootstraps[target.address]
        return shown.pop(0) if shown else Bootstrap(state="done", log="installed Docker\nready")

    def facts_of(self, target: SshTarget) -> HostFacts:
        self._reach(target)
        return self.facts

    def _reach(self, target: SshTarget) -> None:
        self.asked.append(target)
        if target.address in self.silent:
            raise TransientError(f"{target.address}: connection refused")
        if self.host_keys.get(target.address, target.host_key) != target.host_key:
            raise HostKeyChanged(f"{target.address} shows another host key than the one pinned")
