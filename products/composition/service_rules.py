"""The safe list for one service of a composition, as Compose's model describes it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from products.composition.rules import (
    Context,
    Finding,
    Rule,
    anything,
    each,
    inside,
    is_inside,
    is_relative_path,
    labels,
    mapping_of,
    never,
    only,
    outside,
    unknown,
)

CAPABILITIES = frozenset(
    """AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID
    SYS_CHROOT""".split()  # noqa: SIM905  (the set that Docker gives to every container)
)
LOG_DRIVERS = ("json-file", "local", "none")
LOG_OPTIONS = ("compress", "env", "env-regex", "labels", "labels-regex", "max-file", "max-size", "mode", "tag")
SECURITY_OPTIONS = frozenset({"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"})
SYSCTLS = frozenset(
    """net.core.somaxconn net.ipv4.ip_local_port_range net.ipv4.ip_unprivileged_port_start net.ipv4.tcp_fin_timeout
    net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes net.ipv4.tcp_keepalive_time net.ipv4.tcp_syncookies
    net.ipv4.tcp_tw_reuse net.ipv6.conf.all.disable_ipv6 net.ipv6.conf.default.disable_ipv6""".split()  # noqa: SIM905
)

NO_DEVICES = gettext_noop("devices of the host cannot be used.")
NO_NAMESPACE = gettext_noop("“%(value)s” would share what belongs to the host or to another container.")
NO_NAME = gettext_noop("a fixed name can be given to one container only, not to one of every order; leave it out.")
NO_PRIVILEGE = gettext_noop("a privileged container controls the whole server.")
NO_SOCKET = gettext_noop("the Docker socket would give the container control of the whole server.")
NO_STRANGERS = gettext_noop("containers outside the composition cannot be used.")
NO_ADDRESS = gettext_noop("a fixed address can be used by one order only; leave it out and use the service's name.")


def _capabilities(value: Any, context: Context) -> Iterator[Finding]:
    for number, name in enumerate(value or ()):
        if str(name).upper().removeprefix("CAP_") not in CAPABILITIES:
            yield (
                f"[{number}]",
                _("“%(name)s” is not among the capabilities that Docker gives by default.") % {"name": name},
            )


def _security_options(value: Any, context: Context) -> Iterator[Finding]:
    for number, option in enumerate(value or ()):
        if str(option).replace(" ", "") not in SECURITY_OPTIONS:
            yield f"[{number}]", _("“%(option)s” would loosen the container's confinement.") % {"option": option}


def _sysctls(value: Any, context: Context) -> Iterator[Finding]:
    for name in value or ():
        if str(name) not in SYSCTLS:
            yield str(name), _("this kernel setting is not on the list of safe ones (docs/catalogue.md).")


def _hosts(value: Any, context: Context) -> Iterator[Finding]:
    items = [f"{name}={inner}" for name, inner in value.items()] if isinstance(value, Mapping) else value or ()
    for number, item in enumerate(items):
        if "host-gateway" in str(item):
            yield f"[{number}]", _("“host-gateway” would lead to the server itself.")


def _score(value: Any, context: Context) -> Iterator[Finding]:
    if isinstance(value, int) and value < 0:
        yield "", _("a negative score would let other orders be killed first; use 0 or more.")


def _temporary(value: Any, context: Context) -> Iterator[Finding]:
    for number, item in enumerate([value] if isinstance(value, str) else value or ()):
        if not str(item).startswith("/"):
            yield f"[{number}]", _("“%(path)s” is not an absolute path in the container.") % {"path": item}


# --- Mounts ---------------------------------------------------------------------------------------------------------
def _mount(value: Any, context: Context) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield "", _("this has to be a mapping.")
        return
    kind = value.get("type")
    if kind == "bind":
        yield from _bind(value, context)
    elif kind == "volume":
        source = value.get("source")
        if source and source not in context.volumes:
            yield "", _source_message(str(source))
        yield from MOUNT(value, context)
    elif kind == "tmpfs":
        yield from MOUNT(value, context)
    else:
        yield "type", _("only volumes, tmpfs and files of the product can be mounted, not “%(kind)s”.") % {"kind": kind}


def _bind(value: Mapping[str, Any], context: Context) -> Iterator[Finding]:
    source = value.get("source")
    if not is_inside(source, context):
        yield "", _source_message(str(source or ""))
    elif value.get("read_only") is not True:
        message = _("files of the product can only be mounted read-only: add “:ro”, or use a named volume for data.")
        yield "", message
    yield from BIND(value, context)


def _source_message(source: str) -> str:
    if "docker.sock" in source:
        return _(NO_SOCKET)
    return _("“%(source)s” is a path of the host; use a named volume.") % {"source": source}


def _subpath(value: Any, context: Context) -> Iterator[Finding]:
    if value and not is_relative_path(str(value)):
        yield "", _("“%(path)s” leads out of the volume.") % {"path": value}


def _volumes_from(value: Any, context: Context) -> Iterator[Finding]:
    for number, source in enumerate(value or ()):
        name, _colon, mode = str(source).partition(":")
        if name not in context.services or mode not in ("", "ro", "rw"):
            yield f"[{number}]", _(NO_STRANGERS)


MOUNT: Rule = mapping_of(
    {
        "consistency": anything,
        "read_only": anything,
        "source": anything,
        "target": anything,
        "tmpfs": mapping_of({"mode": anything, "size": anything}),
        "type": anything,
        "volume": mapping_of({"labels": labels, "nocopy": anything, "subpath": _subpath}),
    }
)
BIND: Rule = mapping_of(
    {
        "bind": mapping_of({"create_host_path": anything, "selinux": only("z", "Z", message=NO_NAMESPACE)}),
        "consistency": anything,
        "read_only": anything,
        "source": anything,
        "target": anything,
        "type": anything,
    }
)


# --- Builds ---------------------------------------------------------------------------------------------------------
def _dockerfile(value: Any, build: Mapping[str, Any], context: Context) -> Iterator[Finding]:
    """Compose reads the path from the context's folder."""
    whole = str(PurePosixPath(str(build.get("context", ".")), str(value)))
    if value and not is_inside(whole, context):
        yield "dockerfile", outside(value)


def _build(value: Any, context: Context) -> Iterator[Finding]:
    build = value if isinstance(value, Mapping) else {"context": value}
    yield from BUILD(build, context)
    if "context" not in {place.partition(".")[0] for place, _message in BUILD(build, context)}:
        yield from _dockerfile(build.get("dockerfile"), build, context)


def _other_contexts(value: Any, context: Context) -> Iterator[Finding]:
    for name, path in (value or {}).items():
        is_service = str(path).startswith("service:") and str(path).removeprefix("service:") in context.services
        if not is_service and not str(path).startswith("docker-image://") and not is_inside(path, context):
            yield str(name), outside(path)


BUILD: Rule = mapping_of(
    {
        "additional_contexts": _other_contexts,
        "args": anything,
        "cache_from": never(gettext_noop("caches of other builds cannot be used.")),
        "cache_to": never(gettext_noop("caches of other builds cannot be used.")),
        "context": inside,
        "dockerfile": anything,
        "dockerfile_inline": anything,
        "entitlements": never(NO_PRIVILEGE),
        "extra_hosts": _hosts,
        "labels": labels,
        "network": only("none", "default", message=NO_NAMESPACE),
        "no_cache": anything,
        "platforms": anything,
        "privileged": never(NO_PRIVILEGE),
        "pull": anything,
        "secrets": anything,
        "shm_size": anything,
        "tags": never(gettext_noop("a fixed image name could belong to another order; leave it out.")),
        "target": anything,
        "ulimits": anything,
    }
)


# --- The rest of a service ------------------------------------------------------------------------------------------
def _logging(value: Any, context: Context) -> Iterator[Finding]:
    driver = (value or {}).get("driver") or "json-file"
    if driver not in LOG_DRIVERS:
        yield "driver", _("“%(driver)s” takes logs off the server; use json-file, local or none.") % {"driver": driver}
    for name in (value or {}).get("options") or ():
        if name not in (
            "compress",
            "env",
            "env-regex",
            "labels",
            "labels-regex",
            "max-file",
            "max-size",
            "mode",
            "tag",
        ):
            yield f"options.{name}", unknown(name)


_RESOURCES: Rule = mapping_of(
    {
        "cpus": anything,
        "devices": never(NO_DEVICES),
        "generic_resources": never(NO_DEVICES),
        "memory": anything,
        "pids": anything,
    }
)
_DEPLOY: Rule = mapping_of(
    {
        "endpoint_mode": anything,
        "labels": labels,
        "mode": only("replicated", message=gettext_noop("“%(value)s” is not supported; use “replicated”.")),
        "placement": anything,
        "replicas": anything,
        "resources": mapping_of({"limits": _RESOURCES, "reservations": _RESOURCES}),
        "restart_policy": anything,
        "rollback_config": anything,
        "update_config": anything,
    }
)
_NETWORK: Rule = mapping_of(
    {
        "aliases": anything,
        "gw_priority": anything,
        "interface_name": anything,
        "ipv4_address": never(NO_ADDRESS),
        "ipv6_address": never(NO_ADDRESS),
        "link_local_ips": never(NO_ADDRESS),
        "mac_address": never(NO_ADDRESS),
        "priority": anything,
    }
)
_FILE: Rule = mapping_of(dict.fromkeys(("gid", "mode", "source", "target", "uid"), anything))

HARMLESS = frozenset(
    """attach cap_drop command cpu_count cpu_percent cpu_period cpu_quota cpu_shares cpus cpuset depends_on dns dns_opt
    dns_search domainname entrypoint environment expose group_add healthcheck hostname image init links mem_limit
    mem_reservation mem_swappiness memswap_limit pids_limit platform ports profiles pull_policy read_only restart scale
    shm_size stdin_open stop_grace_period stop_signal tty ulimits user working_dir""".split()  # noqa: SIM905
)
SERVICE: Rule = mapping_of(
    dict.fromkeys(HARMLESS, anything)
    | {
        "blkio_config": mapping_of({"weight": anything}),
        "build": _build,
        "cap_add": _capabilities,
        "cgroup": only("private", message=NO_NAMESPACE),
        "cgroup_parent": never(gettext_noop("control groups of the host cannot be used.")),
        "configs": each(_FILE),
        "container_name": never(NO_NAME),
        "deploy": _DEPLOY,
        "device_cgroup_rules": never(NO_DEVICES),
        "devices": never(NO_DEVICES),
        "external_links": never(NO_STRANGERS),
        "extra_hosts": _hosts,
        "gpus": never(NO_DEVICES),
        "ipc": only("private", "shareable", "none", message=NO_NAMESPACE, services=True),
        "labels": labels,
        "logging": _logging,
        "mac_address": never(NO_ADDRESS),
        "network_mode": only("none", message=NO_NAMESPACE, services=True),
        "networks": each(_NETWORK),
        "oom_score_adj": _score,
        "pid": only(message=NO_NAMESPACE, services=True),
        "privileged": never(NO_PRIVILEGE),
        "secrets": each(_FILE),
        "security_opt": _security_options,
        "sysctls": _sysctls,
        "tmpfs": _temporary,
        "use_api_socket": never(NO_SOCKET),
        "userns_mode": only(message=NO_NAMESPACE),
        "uts": only(message=NO_NAMESPACE),
        "volumes": each(_mount),
        "volumes_from": _volumes_from,
    }
)
