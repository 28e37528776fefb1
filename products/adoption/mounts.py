"""What an adopted composition mounts: its own files read-only, data in named volumes, nothing of the host. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from products.adoption.document import Notes, as_list
from products.composition.safe_list.rules import is_relative_path

_SHORT = re.compile(r"(?P<source>(?:\$\{[^}]*\}|[^:])+)(?::(?P<target>[^:]+))?(?::(?P<mode>[^:]+))?")
_CLOCK = ("/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo")
_FILE_NAME = re.compile(r"\.[A-Za-z0-9]{1,6}$")


@dataclass(slots=True)
class Mounts:
    """The mounts of all services, as they are rewritten."""

    has_file: Callable[[str], bool]
    """True of a path beside the compose file."""
    notes: Notes
    files: set[str] = field(default_factory=set)
    """Paths that the product needs."""
    volumes: dict[str, None] = field(default_factory=dict)
    """Volumes that take the place of folders of the host."""

    def adopt(self, service: str, settings: dict[str, Any]) -> None:
        """The service's `volumes`, rewritten in place."""
        adopted = [self._mount(service, item) for item in as_list(settings.get("volumes"))]
        kept = [item for item in adopted if item is not None]
        if kept:
            settings["volumes"] = kept
        else:
            settings.pop("volumes", None)

    def _mount(self, service: str, item: Any) -> Any:
        if isinstance(item, dict):
            return self._long(service, item)
        found = _SHORT.fullmatch(str(item))
        if found is None or found["target"] is None:
            self.notes.task(f"{service}: give the volume “{item}” a name, or data is left behind by an upgrade.")
            return item
        source, target, mode = found["source"], found["target"], found["mode"] or ""
        if not source.startswith((".", "/", "~", "$")):
            return item
        kind, name = self._source(service, source, target)
        if kind == "file":
            if mode.split(",")[0] != "ro":
                self.notes.change(f"{service}: {source} is mounted read-only now.")
            return f"./{name}:{target}:ro"
        return f"{name}:{target}{':ro' if mode.startswith('ro') else ''}" if kind == "volume" else None

    def _long(self, service: str, item: dict[str, Any]) -> Any:
        if item.get("type") != "bind":
            return item
        kind, name = self._source(service, str(item.get("source", "")), str(item.get("target", "")))
        if kind == "file":
            return {"type": "bind", "source": f"./{name}", "target": item.get("target"), "read_only": True}
        if kind == "volume":
            return {"type": "volume", "source": name, "target": item.get("target")}
        return None

    def _source(self, service: str, source: str, target: str) -> tuple[str, str]:
        """“file”, “volume” or “nothing” takes the mount's place, and its name."""
        plain = re.sub(r"^(\$\{?PWD\}?|\.)/", "", source)
        path = str(PurePosixPath(plain))
        if is_relative_path(plain) and path != "." and self.has_file(path):
            self.files.add(path)
            return "file", path
        if source.endswith("docker.sock"):
            self.notes.task(
                f"{service}: {source} was removed, as it would control the whole server. "
                "Remove the service if it needs it (reverse proxies, updaters), or configure it by files."
            )
            return "nothing", ""
        if source.startswith(_CLOCK):
            self.notes.change(f"{service}: {source} is not mounted; set TZ instead.")
            return "nothing", ""
        if _FILE_NAME.search(path) or path == ".":
            self.notes.task(f"{service}: {source} is not beside the compose file: add it and mount it at {target}.")
            return "nothing", ""
        name = re.sub(r"[^a-z0-9]+", "-", f"{service}-{PurePosixPath(target).name}".lower()).strip("-")
        self.volumes[name] = None
        self.notes.change(f"{service}: {source} is the named volume {name} now.")
        if source.startswith("../"):
            self.notes.task(f"{service}: if {source} holds configuration, copy it into the product and mount it.")
        return "volume", name
