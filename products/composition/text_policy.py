"""What a composition may ask of the server it runs on. Pure: a compose file in, sentences out.

Everything that is not known to be harmless is refused: Compose grows new ways to reach the host with each version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from products.composition.text import read_composition

VOLUME_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")  # one letter would be a drive
SERVICE_PREFIX = "service:"

HARMLESS = frozenset(
    """annotations attach blkio_config command cpu_count cpu_percent cpu_period cpu_quota cpu_shares cpus cpuset
    depends_on dns dns_opt dns_search domainname entrypoint environment expose extra_hosts group_add healthcheck
    hostname image init links mac_address mem_limit mem_reservation mem_swappiness memswap_limit networks
    oom_score_adj pids_limit platform ports profiles pull_policy read_only restart scale shm_size stdin_open
    stop_grace_period stop_signal tmpfs tty ulimits user working_dir cap_drop configs secrets""".split()  # noqa: SIM905  (words to be read, not a column)
)
HARMLESS_TOP = frozenset({"name", "services", "version"})
HARMLESS_BUILD = frozenset(
    "args dockerfile_inline labels no_cache platforms pull secrets shm_size target ulimits".split()  # noqa: SIM905
)
HARMLESS_MOUNT = frozenset({"consistency", "read_only", "source", "target", "tmpfs", "type", "volume"})
LOG_DRIVERS = ("json-file", "local", "none")
SECURITY_OPTIONS = frozenset({"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"})

Finding = tuple[str, str]
Rule = Callable[[Any], Iterator[Finding]]


def find_violations(compose: str, *, trusted: bool = False) -> list[str]:
    """One sentence for each thing the composition may not ask; raises CompositionError if it is no compose file."""
    document = read_composition(compose)
    return [] if trusted else [f"{place}: {words}" for place, words in _in_document(document)]


def _in_document(document: Mapping[str, Any]) -> Iterator[Finding]:
    for name, service in document["services"].items():
        yield from _under(f"services.{name}", _in_service(service))
    for key, value in document.items():
        if key in TOP_RULES:
            yield from _under(str(key), _in_each(TOP_RULES[key], value))
        elif key == "include":
            yield "include", _("a composition has to be in one file; include is not allowed.")
        elif key not in HARMLESS_TOP and not str(key).startswith("x-"):
            yield str(key), _("this is not among the settings that are known to be harmless.")


def _under(place: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    for inner, words in findings:
        yield f"{place}.{inner}" if inner and inner[0] != "[" else f"{place}{inner}", words


def _in_each(rule: Rule, value: Any) -> Iterator[Finding]:
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield "", _("this has to be a mapping of names.")
        return
    for name, inner in value.items():
        yield from _under(str(name), rule(inner or {}))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# --- One service ----------------------------------------------------------------------------------------------------
def _in_service(service: Mapping[str, Any]) -> Iterator[Finding]:
    for key, value in service.items():
        if key in SERVICE_RULES:
            yield from _under(str(key), SERVICE_RULES[key](value))
        elif key not in HARMLESS and not str(key).startswith("x-"):
            yield str(key), _("this is not among the settings that are known to be harmless.")


def _never(words: str) -> Rule:
    """Nothing but an empty or false value passes."""

    def rule(value: Any) -> Iterator[Finding]:
        if value not in (None, False, "", [], {}):
            yield "", _(words)

    return rule


def _only(*allowed: str, words: str, services: bool = False) -> Rule:
    """One of `allowed` passes, and another service of the composition where `services` says so."""

    def rule(value: Any) -> Iterator[Finding]:
        is_service = services and str(value).startswith(SERVICE_PREFIX)
        if value not in (None, "") and value not in allowed and not is_service:
            yield "", _(words) % {"value": value}

    return rule


def _security_options(value: Any) -> Iterator[Finding]:
    for number, option in enumerate(_items(value)):
        if str(option).replace(" ", "") not in SECURITY_OPTIONS:
            yield f"[{number}]", _("“%(option)s” would loosen the container's confinement.") % {"option": option}


def _volumes(value: Any) -> Iterator[Finding]:
    for number, mount in enumerate(_items(value)):
        findings = _long_mount(mount) if isinstance(mount, Mapping) else _short_mount(str(mount))
        yield from _under(f"[{number}]", findings)


def _short_mount(mount: str) -> Iterator[Finding]:
    source, colon, _rest = mount.partition(":")
    named = VOLUME_NAME.fullmatch(source) if colon else source.startswith("/")
    if not named:
        yield "", _source_words(source)


def _long_mount(mount: Mapping[str, Any]) -> Iterator[Finding]:
    kind, source = mount.get("type"), str(mount.get("source", ""))
    if kind == "bind" or (kind == "volume" and source and not VOLUME_NAME.fullmatch(source)):
        yield "", _source_words(source)
    elif kind not in ("volume", "tmpfs"):
        yield "type", _("only “volume” and “tmpfs” can be mounted, not “%(kind)s”.") % {"kind": kind}
    for key in sorted(str(key) for key in mount.keys() - HARMLESS_MOUNT if kind != "bind"):
        yield key, _("this is not among the settings that are known to be harmless.")


def _source_words(source: str) -> str:
    if "docker.sock" in source:
        return _("the Docker socket would give the container the whole server.")
    return _("“%(source)s” is a path of the host; use a named volume.") % {"source": source}


def _volumes_from(value: Any) -> Iterator[Finding]:
    for number, source in enumerate(_items(value)):
        if str(source).startswith("container:"):
            yield f"[{number}]", _("containers outside the composition are out of reach.")


def _env_files(value: Any) -> Iterator[Finding]:
    for number, item in enumerate(_items(value)):
        path = item.get("path", "") if isinstance(item, Mapping) else item
        if not _is_inside(path):
            yield f"[{number}]", _outside_words(path)


def _is_inside(path: Any) -> bool:
    """True of a relative path that stays below the product's folder, whatever is filled into it."""
    text = str(path)
    pure = PurePosixPath(text)
    odd = any(sign in text for sign in ("$", "~", "\\", "://", "@"))
    return bool(text) and not odd and not pure.is_absolute() and ".." not in pure.parts


def _outside_words(path: Any) -> str:
    return _("“%(path)s” is outside the product's folder.") % {"path": path}


def _extends(value: Any) -> Iterator[Finding]:
    if isinstance(value, Mapping) and value.get("file"):
        yield "file", _("a composition has to be in one file; extend only its own services.")


def _build(value: Any) -> Iterator[Finding]:
    build = value if isinstance(value, Mapping) else {"context": value}
    for key, inner in build.items():
        if key in BUILD_RULES:
            yield from _under(str(key), BUILD_RULES[key](inner))
        elif key not in HARMLESS_BUILD:
            yield str(key), _("this is not among the settings that are known to be harmless.")


def _path(value: Any) -> Iterator[Finding]:
    if value is not None and not _is_inside(value):
        yield "", _outside_words(value)


def _paths_by_name(value: Any) -> Iterator[Finding]:
    pairs = value.items() if isinstance(value, Mapping) else (str(item).partition("=")[::2] for item in _items(value))
    for name, path in pairs:
        if not _is_inside(path) and not str(path).startswith(SERVICE_PREFIX):
            yield str(name), _outside_words(path)


def _logging(value: Any) -> Iterator[Finding]:
    driver = value.get("driver", "json-file") if isinstance(value, Mapping) else value
    if driver not in LOG_DRIVERS:
        yield "driver", _("“%(driver)s” takes logs off the server; use json-file, local or none.") % {"driver": driver}


def _labels(value: Any) -> Iterator[Finding]:
    names = value if isinstance(value, Mapping) else [str(item).partition("=")[0] for item in _items(value)]
    for name in names:
        if str(name).startswith(("live.", "com.docker.compose.")):
            yield str(name), _("labels of this name are kept for the platform.")


def _deploy(value: Any) -> Iterator[Finding]:
    reserved = value
    for key in ("resources", "reservations"):
        reserved = reserved.get(key) if isinstance(reserved, Mapping) else None
    if isinstance(reserved, Mapping):
        for key in ("devices", "generic_resources"):
            if reserved.get(key):
                yield f"resources.reservations.{key}", _("devices of the host are out of reach.")


# --- Volumes, networks, configs and secrets of the whole composition ------------------------------------------------
def _top_volume(value: Any) -> Iterator[Finding]:
    yield from _shared(value, drivers=("local",))


def _top_network(value: Any) -> Iterator[Finding]:
    yield from _shared(value, drivers=("bridge", "overlay"))


def _shared(value: Any, *, drivers: tuple[str, ...]) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield "", _("this has to be a mapping.")
        return
    if value.get("external"):
        yield "external", _("what other compositions made is out of reach.")
    if value.get("name"):
        yield "name", _("a fixed name could be another order's; leave it out.")
    if value.get("driver") not in (None, "", "default", *drivers):
        yield "driver", _("only %(drivers)s can be used.") % {"drivers": ", ".join(drivers)}
    if value.get("driver_opts"):
        yield "driver_opts", _("these options can mount or reach the host; leave them out.")
    yield from _under("labels", _labels(value.get("labels") or []))


def _top_file(value: Any) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield "", _("this has to be a mapping.")
        return
    if value.get("external"):
        yield "external", _("what other compositions made is out of reach.")
    if "file" in value and not _is_inside(value["file"]):
        yield "file", _outside_words(value["file"])
    for key in ("driver", "template_driver"):
        if value.get(key):
            yield key, _("only files, contents and variables of the composition can be used.")


_NO_CAPABILITIES = gettext_noop("capabilities beyond Docker's own set are not given.")
_NO_DEVICES = gettext_noop("devices of the host are out of reach.")
_NO_NAMESPACE = gettext_noop("“%(value)s” would share what belongs to the host or to another container.")
_NO_NAME = gettext_noop("one name for all orders can be given to one container only; leave it out.")
_NO_PRIVILEGE = gettext_noop("a privileged container has the whole server.")

SERVICE_RULES: dict[str, Rule] = {
    "build": _build,
    "cap_add": _never(_NO_CAPABILITIES),
    "cgroup": _only("private", words=_NO_NAMESPACE),
    "cgroup_parent": _never(gettext_noop("control groups of the host are out of reach.")),
    "container_name": _never(_NO_NAME),
    "deploy": _deploy,
    "device_cgroup_rules": _never(_NO_DEVICES),
    "devices": _never(_NO_DEVICES),
    "env_file": _env_files,
    "extends": _extends,
    "external_links": _never(gettext_noop("containers outside the composition are out of reach.")),
    "gpus": _never(_NO_DEVICES),
    "ipc": _only("private", "shareable", "none", words=_NO_NAMESPACE, services=True),
    "label_file": _env_files,
    "labels": _labels,
    "logging": _logging,
    "network_mode": _only("none", "bridge", words=_NO_NAMESPACE, services=True),
    "pid": _only(words=_NO_NAMESPACE, services=True),
    "privileged": _never(_NO_PRIVILEGE),
    "security_opt": _security_options,
    "use_api_socket": _never(gettext_noop("the Docker socket would give the container the whole server.")),
    "userns_mode": _only(words=_NO_NAMESPACE),
    "uts": _only(words=_NO_NAMESPACE),
    "volumes": _volumes,
    "volumes_from": _volumes_from,
}
BUILD_RULES: dict[str, Rule] = {
    "additional_contexts": _paths_by_name,
    "context": _path,
    "dockerfile": _path,
    "entitlements": _never(_NO_PRIVILEGE),
    "network": _only("none", "default", words=_NO_NAMESPACE),
    "privileged": _never(_NO_PRIVILEGE),
}
TOP_RULES: dict[str, Rule] = {
    "configs": _top_file,
    "networks": _top_network,
    "secrets": _top_file,
    "volumes": _top_volume,
}
