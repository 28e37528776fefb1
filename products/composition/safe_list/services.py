"""The safe list for one service of a composition, as Compose's model describes it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from products.composition.safe_list.builds import build
from products.composition.safe_list.limits import (
    HEALTHCHECK,
    USUAL_CPU_SHARES,
    USUAL_IO_WEIGHT,
    at_most,
    stop_period,
)
from products.composition.safe_list.mounts import mount, volumes_from
from products.composition.safe_list.rules import (
    NO_ADDRESS,
    NO_DEVICES,
    NO_NAME,
    NO_NAMESPACE,
    NO_PRIVILEGE,
    NO_SOCKET,
    NO_STRANGERS,
    Context,
    Finding,
    Rule,
    anything,
    each,
    hosts,
    image,
    labels,
    mapping_of,
    never,
    only,
    unknown,
)

CAPABILITIES = frozenset(
    """AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID
    SYS_CHROOT""".split()  # noqa: SIM905  (the set that Docker gives to every container)
)
NO_PRIORITY = gettext_noop("more than %(limit)s would slow down other orders; leave it out.")
LOG_DRIVERS = ("json-file", "local", "none")
LOG_OPTIONS = ("compress", "env", "env-regex", "labels", "labels-regex", "max-file", "max-size", "mode", "tag")
SECURITY_OPTIONS = frozenset({"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"})
SYSCTLS = frozenset(
    """net.core.somaxconn net.ipv4.ip_local_port_range net.ipv4.ip_unprivileged_port_start net.ipv4.tcp_fin_timeout
    net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes net.ipv4.tcp_keepalive_time net.ipv4.tcp_syncookies
    net.ipv4.tcp_tw_reuse net.ipv6.conf.all.disable_ipv6 net.ipv6.conf.default.disable_ipv6""".split()  # noqa: SIM905
)


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


def _score(value: Any, context: Context) -> Iterator[Finding]:
    if isinstance(value, int) and value < 0:
        yield "", _("a negative score would let other orders be killed first; use 0 or more.")


def _temporary(value: Any, context: Context) -> Iterator[Finding]:
    for number, item in enumerate([value] if isinstance(value, str) else value or ()):
        if not str(item).startswith("/"):
            yield f"[{number}]", _("“%(path)s” is not an absolute path in the container.") % {"path": item}


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
    """attach cap_drop command cpu_count cpu_percent cpu_period cpu_quota cpus cpuset depends_on dns dns_opt
    dns_search domainname entrypoint environment expose group_add hostname init links mem_limit
    mem_reservation mem_swappiness memswap_limit pids_limit platform ports profiles pull_policy read_only restart scale
    shm_size stdin_open stop_signal tty ulimits user working_dir""".split()  # noqa: SIM905
)
SERVICE: Rule = mapping_of(
    dict.fromkeys(HARMLESS, anything)
    | {
        "blkio_config": mapping_of({"weight": at_most(USUAL_IO_WEIGHT, NO_PRIORITY)}),
        "build": build,
        "cap_add": _capabilities,
        "cgroup": only("private", message=NO_NAMESPACE),
        "cgroup_parent": never(gettext_noop("control groups of the host cannot be used.")),
        "configs": each(_FILE),
        "container_name": never(NO_NAME),
        "cpu_shares": at_most(USUAL_CPU_SHARES, NO_PRIORITY),
        "deploy": _DEPLOY,
        "device_cgroup_rules": never(NO_DEVICES),
        "devices": never(NO_DEVICES),
        "external_links": never(NO_STRANGERS),
        "extra_hosts": hosts,
        "gpus": never(NO_DEVICES),
        "healthcheck": HEALTHCHECK,
        "image": image,
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
        "stop_grace_period": stop_period,
        "sysctls": _sysctls,
        "tmpfs": _temporary,
        "use_api_socket": never(NO_SOCKET),
        "userns_mode": only(message=NO_NAMESPACE),
        "uts": only(message=NO_NAMESPACE),
        "volumes": each(mount),
        "volumes_from": volumes_from,
    }
)
