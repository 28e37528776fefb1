"""What Docker Compose makes of a release with an order's values, and the file from which it is launched. Pure.

Compose's own output is what is checked, waited for and, completed with the order's settings, launched: no value is
interpreted twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import PermanentError
from infrastructure.adapters.compose.carried import pack_files
from infrastructure.adapters.compose.labels import JOB_LABEL, KEY_LABEL, RESERVED_LABELS, builder_name, labels_of
from infrastructure.adapters.compose.own_images import own_images
from infrastructure.contracts.runtime import Composition
from products.composition.startup import startup_of

Model = Mapping[str, Any]

# JSON is YAML 1.2, except for characters that YAML does not allow and those that it treats as line breaks.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A file or folder of the release that a container reads at run time."""

    path: str
    """Below the release's folder."""
    target: str
    """In the container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPlan:
    """One order's composition as Compose understands it."""

    model: Model = field(repr=False)
    """Holds secrets."""
    running: frozenset[str]
    """The services that keep running."""
    jobs: frozenset[str]
    """The services that may end: with exit code 0 they are done."""
    awaited: frozenset[str]
    """The jobs that other services wait for: they must end."""
    once: frozenset[str]
    """The jobs by their restart policy: a failed one is not restarted automatically."""
    mounts: Mapping[str, tuple[Mount, ...]]
    """By service, the release's files that it reads at run time."""

    files: bytes = field(repr=False)
    """Those files, packed; empty if there are none."""

    @property
    def expected(self) -> frozenset[str]:
        """The services that get a container."""
        return self.running | self.jobs


def plan_of(printed: Model, composition: Composition, product: Path) -> LaunchPlan:
    """The plan for the model printed by Compose; `product` is the release's folder.

    Raises PermanentError for files that cannot be provided on the host.
    """
    model = _undoubled(printed)
    services: Mapping[str, Model] = model["services"]
    for port in composition.ports:
        if port.service not in services:
            raise PermanentError(f"the release has no service '{port.service}' for port {port.container_port}")
    startup = startup_of(model)
    servers = {port.service for port in composition.ports} | _watched(services)
    jobs = startup.awaited | (startup.jobs - servers)
    mounts = {name: tuple(_mounts_of(name, model, product)) for name in services}
    return LaunchPlan(
        model=model,
        running=(startup.running | startup.jobs) - jobs,
        jobs=jobs,
        awaited=startup.awaited,
        once=frozenset(name for name in jobs - startup.awaited if _names_a_policy(services[name])),
        mounts=mounts,
        files=pack_files(product, {mount.path for inner in mounts.values() for mount in inner}),
    )


def launch_text(
    plan: LaunchPlan, composition: Composition, *, product: Path, files_root: str = "", classic: bool = False
) -> str:
    """The compose file of this order: environment, labels, ports, and its files under `files_root` on the host.

    `classic` is for the classic builder, which leaves containers behind when a build is aborted.
    """
    model = {key: value for key, value in plan.model.items() if not key.startswith("x-")}
    for kind in ("volumes", "networks"):
        if kind in model:
            model[kind] = {name: _without_reserved(item) for name, item in model[kind].items()}
    images = own_images(plan.model["services"], composition.key.lower())
    model["services"] = {
        name: _service(name, service, plan, composition, product, files_root, classic)
        | ({"image": images[name]} if name in images else {})
        for name, service in plan.model["services"].items()
    }
    text = json.dumps(_doubled(model), ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _service(
    name: str,
    service: Model,
    plan: LaunchPlan,
    composition: Composition,
    product: Path,
    files_root: str,
    classic: bool,
) -> dict[str, Any]:
    ours = {"environment", "labels", "ports", "container_name", "develop", "volumes", "configs", "secrets"}
    written = {key: value for key, value in service.items() if key not in ours}
    explicit = {key: value for key, value in (service.get("environment") or {}).items() if value is not None}
    unfilled = dict.fromkeys(service.get("environment") or ())
    if pinned := composition.images.get(name):
        written["image"] = pinned
    written["environment"] = {**unfilled, **composition.environment, "LIVE_SERVICE": name, **explicit}
    written["labels"] = _free(service.get("labels")) | labels_of(composition)
    if name in plan.jobs:
        written["labels"][JOB_LABEL] = "once" if name in plan.once else "yes"
    if published := [f"{port.host_port}:{port.container_port}" for port in composition.ports if port.service == name]:
        written["ports"] = published
    written["volumes"] = [mount for mount in service.get("volumes") or () if not _path_of(mount, product)]
    written["volumes"] += [_bind(mount, files_root) for mount in plan.mounts[name]]
    for kind in ("configs", "secrets"):
        references = service.get(kind) or ()
        if kept := [item for item in references if not _file_of(plan.model, kind, item["source"], product)]:
            written[kind] = kept
    if "build" in service:
        written["build"] = _build(service["build"], composition.key, classic)
    return written


def _build(build: Model, key: str, classic: bool) -> dict[str, Any]:
    # The classic builder itself adds no label that identifies the order.
    written = {**build, "labels": _free(build.get("labels")) | {KEY_LABEL: key}}
    if classic:
        # The classic builder labels its image, not its intermediate containers; and a label or an argument in the
        # Dockerfile would invalidate the build cache for each order. Host names are set on those containers only.
        hosts = build.get("extra_hosts") or []
        listed = [f"{name}={address}" for name, address in hosts.items()] if isinstance(hosts, Mapping) else hosts
        written["extra_hosts"] = [*listed, f"{builder_name(key)}=127.0.0.1"]
    return written


def _bind(mount: Mount, files_root: str) -> dict[str, Any]:
    source = f"{files_root}/{mount.path}" if mount.path != "." else files_root
    missing_is_an_error = {"create_host_path": False}
    return {
        "type": "bind",
        "source": source,
        "target": mount.target,
        "read_only": True,
        "bind": missing_is_an_error,
    }


# --- Files of the release that containers read at run time  --------------------------------------------------------
def _mounts_of(name: str, model: Model, product: Path) -> Iterator[Mount]:
    service = model["services"][name]
    for volume in service.get("volumes") or ():
        if path := _path_of(volume, product):
            if not volume.get("read_only"):
                message = f"service {name} may only read the release's own files: mount '{path}' with :ro"
                raise PermanentError(f"{message}, or use a named volume")
            yield _existing(Mount(path=path, target=volume["target"]), name, product)
    for kind, folder in (("configs", "/"), ("secrets", "/run/secrets/")):
        for reference in service.get(kind) or ():
            if path := _file_of(model, kind, reference["source"], product):
                target = reference.get("target") or reference["source"]
                absolute = target if target.startswith("/") else f"{folder}{target}"
                yield _existing(Mount(path=path, target=absolute), name, product)


def _existing(mount: Mount, service: str, product: Path) -> Mount:
    if not (product / mount.path).exists():
        raise PermanentError(f"the release has no file '{mount.path}', which service {service} reads")
    return mount


def _path_of(volume: Model, product: Path) -> str:
    """The path of a mount below the release's folder; empty for any other mount."""
    return _below(product, volume.get("source")) if volume.get("type") == "bind" else ""


def _file_of(model: Model, kind: str, source: str, product: Path) -> str:
    item = (model.get(kind) or {}).get(source) or {}
    return _below(product, item.get("file"))


def _below(product: Path, path: str | None) -> str:
    if not path:
        return ""
    pure = PurePosixPath(path)
    is_below = pure.is_relative_to(product) and ".." not in pure.parts
    return str(pure.relative_to(product)) if is_below else ""


# --- What is expected of services ------------------------------------------------------------------------------------
def _watched(services: Mapping[str, Model]) -> set[str]:
    """The services with a health check: they are not expected to end."""
    checked = {name for name, service in services.items() if _has_check(service.get("healthcheck") or {})}
    for service in services.values():
        needs = service.get("depends_on") or {}
        checked |= {name for name, how in needs.items() if how.get("condition") == "service_healthy"}
    return checked


def _has_check(check: Model) -> bool:
    return bool(check.get("test")) and not check.get("disable") and check["test"] != ["NONE"]


def _names_a_policy(service: Model) -> bool:
    return "restart" in service or "restart_policy" in (service.get("deploy") or {})


# --- Text ------------------------------------------------------------------------------------------------------------
def _free(labels: Mapping[str, str] | None) -> dict[str, str]:
    """The labels whose names are not reserved for the platform."""
    return {name: value for name, value in (labels or {}).items() if not name.startswith(RESERVED_LABELS)}


def _without_reserved(item: Model | None) -> Model | None:
    return {**item, "labels": _free(item["labels"])} if item and item.get("labels") else item


def _undoubled(value: Any) -> Any:
    """Compose doubles each dollar in its output, so that the output can be used as input."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, Mapping):
        return {_undoubled(name): _undoubled(inner) for name, inner in value.items()}
    return [_undoubled(inner) for inner in value] if isinstance(value, Sequence) else value


def _doubled(value: Any) -> Any:
    """Compose interpolates this file too: a doubled dollar becomes a dollar, except in the keys of a mapping."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {name: _doubled(inner) for name, inner in value.items()}
    return [_doubled(inner) for inner in value] if isinstance(value, Sequence) else value
