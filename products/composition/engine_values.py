"""Values that Compose passes on unread and Docker Engine refuses: else a customer's launch would fail. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

Finding = tuple[str, str]
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:[0-9])|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/"
# https://github.com/distribution/reference/blob/main/reference.go
IMAGE = re.compile(
    rf"(?:{_HOST})?{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-f]{32,})?"
)
LONGEST_NAME = 255
RESTART = re.compile(r"no|always|unless-stopped|on-failure(?::[0-9]{1,9})?")
LEAST_MEMORY = 6 * 1024 * 1024
MOST = 2**31


def engine_findings(model: Mapping[str, Any]) -> Iterator[Finding]:
    """Each (place in the model, sentence) about a value that no engine accepts."""
    for name, service in (model.get("services") or {}).items():
        for path, check in CHECKS.items():
            value = _value_at(service, path)
            if value is not None and (message := check(value)):
                yield f"services.{name}.{path}", message


def _value_at(service: Mapping[str, Any], path: str) -> Any:
    value: Any = service
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _image(value: Any) -> str:
    name = str(value).partition("@")[0]
    if len(name) <= LONGEST_NAME and IMAGE.fullmatch(str(value)):
        return ""
    return _("“%(image)s” is no name of an image, such as postgis/postgis:16 (in small letters).") % {
        "image": str(value)[:80]
    }


def _restart(value: Any) -> str:
    if RESTART.fullmatch(str(value)):
        return ""
    return _("“%(value)s” is no restart policy: use no, always, unless-stopped, or on-failure with a number.") % {
        "value": str(value)[:80]
    }


def _memory(value: Any) -> str:
    size = _number(value)
    if size is None or size == 0 or LEAST_MEMORY <= size < 2**62:
        return ""
    return _("no container can run with this: give 6 MB or more, such as 512m.")


def _swap(value: Any) -> str:
    return "" if _number(value) == -1 else _memory(value)


def _count(value: Any) -> str:
    number = _number(value)
    if number is None or 0 <= number < MOST:
        return ""
    return _("this has to be a number from 0 to 2 147 483 647.")


def _processes(value: Any) -> str:
    return "" if _number(value) == -1 else _count(value)


def _size(value: Any) -> str:
    number = _number(value)
    return "" if number is None or 0 <= number < 2**62 else _("this has to be a size, such as 64m.")


def _number(value: Any) -> float | None:
    """What the model holds as a number or as the text of it."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


CHECKS: Mapping[str, Callable[[Any], str]] = {
    "image": _image,
    "restart": _restart,
    "mem_limit": _memory,
    "mem_reservation": _memory,
    "memswap_limit": _swap,
    "shm_size": _size,
    "pids_limit": _processes,
    "cpus": _count,
    "healthcheck.retries": _count,
    "deploy.resources.limits.cpus": _count,
    "deploy.resources.limits.memory": _memory,
    "deploy.resources.limits.pids": _processes,
    "deploy.resources.reservations.memory": _memory,
}
