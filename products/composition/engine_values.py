"""Values that Compose passes on unread and Docker Engine refuses: else a customer's launch would fail. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
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
TOO_SHORT = re.compile(r"[0-9.]+(?:ns|µs|us)")  # as Compose writes durations of less than a millisecond
CPU_LIST = re.compile(r"[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*")
# https://github.com/moby/sys/blob/main/signal/signal_linux.go
STOP_SIGNAL = re.compile(
    r"[1-9][0-9]*|(?:SIG)?(?:ABRT|ALRM|BUS|CHLD|CLD|CONT|FPE|HUP|ILL|INT|IO|IOT|KILL|PIPE|POLL|PROF|PWR|QUIT|SEGV|STKFLT"
    r"|STOP|SYS|TERM|TRAP|TSTP|TTIN|TTOU|URG|USR1|USR2|VTALRM|WINCH|XCPU|XFSZ"
    r"|RTMIN(?:\+(?:[1-9]|1[0-5]))?|RTMAX(?:-(?:[1-9]|1[0-4]))?)",
    re.IGNORECASE,
)
# capabilities(7), up to Linux 5.9
CAPABILITIES = frozenset(
    """ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH
    FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE
    NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE
    SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM""".split()  # noqa: SIM905
)
# https://github.com/docker/go-units/blob/master/ulimit.go
LIMITS = frozenset(
    """core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack""".split()  # noqa: SIM905
)
LOG_OPTIONS = {
    "local": frozenset({"compress", "max-file", "max-size", "mode", "max-buffer-size"}),
    "none": frozenset[str](),
}
"""By driver; those of json-file are on the safe list."""


def engine_findings(model: Mapping[str, Any]) -> Iterator[Finding]:
    """Each (place in the model, sentence) about a value that no engine accepts."""
    for name, service in (model.get("services") or {}).items():
        for path, check in CHECKS.items():
            value = _value_at(service, path)
            if value is not None and (message := check(value)):
                yield f"services.{name}.{path}", message
        for path, message in _contradictions(service):
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


def _absolute(value: Any) -> str:
    return "" if str(value).startswith("/") else _("give an absolute path in the container, such as /srv.")


def _signal(value: Any) -> str:
    return "" if STOP_SIGNAL.fullmatch(str(value)) else _("this is no signal; use SIGTERM, SIGINT, SIGQUIT or another.")


def _duration(value: Any) -> str:
    return _("this has to be a millisecond or more, such as 10s.") if TOO_SHORT.fullmatch(str(value)) else ""


def _period(value: Any) -> str:
    number = _number(value)
    if number is None or number == 0 or 1_000 <= number <= 1_000_000:
        return ""
    return _("this has to be from 1000 to 1000000 microseconds; “cpus” is simpler.")


def _quota(value: Any) -> str:
    number = _number(value)
    if number is None or number <= 0 or number >= 1_000:
        return ""
    return _("this has to be 1000 microseconds or more; “cpus” is simpler.")


def _processors(value: Any) -> str:
    return "" if CPU_LIST.fullmatch(str(value)) else _("list processors by their numbers, such as 0-1,3.")


def _dropped(value: Any) -> str:
    names = (str(name).upper().removeprefix("CAP_") for name in value)
    unknown = next((name for name in names if name not in CAPABILITIES), "")
    return _("“%(name)s” is no capability.") % {"name": unknown} if unknown else ""


def _limits(value: Any) -> str:
    for name, limit in value.items():
        if name not in LIMITS:
            return _("“%(name)s” is no limit that a container can have; nofile is one.") % {"name": name}
        if isinstance(limit, Mapping) and -1 != limit.get("hard", -1) < limit.get("soft", 0):
            return _("“%(name)s” has a soft limit above its hard one.") % {"name": name}
    return ""


def _servers(value: Any) -> str:
    for address in [value] if isinstance(value, str) else value:
        try:
            ip_address(str(address))
        except ValueError:
            return _("“%(address)s” is no IP address.") % {"address": str(address)[:80]}
    return ""


def _contradictions(service: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong only beside another value."""
    limit = _first_number(service, "mem_limit", "deploy.resources.limits.memory")
    swap = _first_number(service, "memswap_limit")
    if swap and swap > 0 and (not limit or swap < limit):
        yield "memswap_limit", _("this is memory and swap together: give mem_limit too, and not more than this.")
    for path in ("mem_reservation", "deploy.resources.reservations.memory"):
        reserved = _first_number(service, path)
        if limit and reserved and reserved > limit:
            yield path, _("this is more than the limit of the memory.")
    logs = service.get("logging") or {}
    driver = str(logs.get("driver", ""))
    for name in logs.get("options") or () if driver in LOG_OPTIONS else ():
        if name not in LOG_OPTIONS[driver]:
            message = _("the driver “%(driver)s” has no such option.") % {"driver": driver}
            yield f"logging.options.{name}", message


def _first_number(service: Mapping[str, Any], *paths: str) -> float | None:
    return next((number for path in paths if (number := _number(_value_at(service, path))) is not None), None)


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
    "cpu_period": _period,
    "cpu_quota": _quota,
    "cpuset": _processors,
    "working_dir": _absolute,
    "stop_signal": _signal,
    "cap_drop": _dropped,
    "ulimits": _limits,
    "dns": _servers,
    "healthcheck.retries": _count,
    "healthcheck.timeout": _duration,
    "healthcheck.start_period": _duration,
    "healthcheck.start_interval": _duration,
    "deploy.resources.limits.cpus": _count,
    "deploy.resources.limits.memory": _memory,
    "deploy.resources.limits.pids": _processes,
    "deploy.resources.reservations.memory": _memory,
}
