"""What a release's compose file says, and the two files that make it one order's: text in, text out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from core.errors import PermanentError
from infrastructure.contracts.runtime import Composition

KEY_LABEL = "live.key"
DIGEST_LABEL = "live.digest"
SETTINGS_LABEL = "live.settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeFile:
    """What has to be known of a compose file before it is launched."""

    services: Mapping[str, Mapping[str, Any]]
    always_up: frozenset[str]
    """The services that `up` starts and that stay."""
    run_once: frozenset[str]
    """The services others wait for to *complete*: ended with code 0 is what is wanted of them."""


def read_compose(text: str) -> ComposeFile:
    """The compose file in our words; raises PermanentError if it is none."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" (line {place.line + 1})" if place else ""
        raise PermanentError(f"compose.yaml of the release is not valid YAML{line}") from error
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict) or not all(isinstance(service, dict) for service in services.values()):
        raise PermanentError("compose.yaml of the release has no services")
    run_once = frozenset(name for service in services.values() for name in _waited_for(service))
    started = {name for name, service in services.items() if not service.get("profiles")}
    return ComposeFile(services=services, always_up=frozenset(started - run_once), run_once=run_once)


def _waited_for(service: Mapping[str, Any]) -> list[str]:
    needs = service.get("depends_on")
    if not isinstance(needs, dict):
        return []
    return [name for name, how in needs.items() if (how or {}).get("condition") == "service_completed_successfully"]


def settings_digest(composition: Composition) -> str:
    """Changes when a container's environment or published port would; tells nothing of what they are."""
    ports = sorted((port.service, port.container_port, port.host_port) for port in composition.ports)
    told = json.dumps([composition.key, ports, sorted(composition.environment.items())])
    return hashlib.sha256(told.encode()).hexdigest()


def labels_of(composition: Composition) -> dict[str, str]:
    """What every container of this composition is labelled with."""
    return {
        KEY_LABEL: composition.key,
        DIGEST_LABEL: composition.digest,
        SETTINGS_LABEL: settings_digest(composition),
    }


def builder_name(key: str) -> str:
    """A name by which only this key's builds would look for themselves: what shows whose containers they are."""
    return f"{key.lower()}.build"


def override_text(composition: Composition, compose: ComposeFile, *, classic: bool = False) -> str:
    """The compose file laid over the release's own: environment, labels and ports of this order.

    `classic` says that builds leave containers behind when they are broken off.
    """
    for port in composition.ports:
        if port.service not in compose.services:
            raise PermanentError(f"the release has no service '{port.service}' for port {port.container_port}")
    services = {name: _service(name, service, composition, classic) for name, service in compose.services.items()}
    return yaml.dump({"services": services}, Dumper=_Dumper, allow_unicode=True, width=10_000)


def _service(name: str, service: Mapping[str, Any], composition: Composition, classic: bool) -> dict[str, object]:
    environment = {**composition.environment, "LIVE_SERVICE": name}
    published = [f"{port.host_port}:{port.container_port}" for port in composition.ports if port.service == name]
    written: dict[str, object] = {
        # Compose interpolates this file too: a doubled dollar is a dollar.
        "environment": {variable: value.replace("$", "$$") for variable, value in environment.items()},
        "labels": labels_of(composition),
        "ports": _Override(published) if published else _Reset(),
    }
    if "container_name" in service:
        # One name for all orders could be given to one container only.
        written["container_name"] = _Reset()
    if "build" in service:
        # The classic builder labels images with nothing that tells whose they are.
        written["build"] = {"labels": {KEY_LABEL: composition.key}} | (_marked(composition.key) if classic else {})
    return written


def _marked(key: str) -> dict[str, object]:
    """Labels reach a classic builder's image, never the containers it works in; and a label or an argument in the
    recipe would be another recipe, built anew for each order. Names of hosts reach them, and no image."""
    return {"extra_hosts": [f"{builder_name(key)}:127.0.0.1"]}


def env_text(environment: Mapping[str, str]) -> str:
    """The env file from which `${NAME}` in the release's compose file is filled: every value survives literally."""
    return "".join(f'{name}="{_escaped(value)}"\n' for name, value in environment.items())


def _escaped(value: str) -> str:
    for plain, written in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(plain, written)
    return value


class _Override(list[str]):
    """Replaces the list below it instead of adding to it."""


class _Reset:
    """Takes away what is below it."""


class _Dumper(yaml.SafeDumper):
    """Knows Compose's merge tags: https://docs.docker.com/reference/compose-file/merge/"""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(_Override, lambda dumper, ports: dumper.represent_sequence("!override", ports))
_Dumper.add_representer(_Reset, lambda dumper, _: dumper.represent_scalar("!reset", "null"))
