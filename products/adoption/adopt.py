"""Makes a product folder of an existing compose file: what can be changed by rule is changed, the rest is listed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import Refusal
from products.adapters.bundle import COMPOSE, LARGEST, MANIFEST
from products.adoption.document import Notes, as_list, as_mapping, dump_yaml, load_compose, rewrite
from products.adoption.endpoints import container_ports, propose_endpoints
from products.adoption.env_file import parse_env
from products.adoption.mounts import Mounts
from products.adoption.variables import VariablePlan, plan_variables, use_secrets
from products.composition.safe_list.rules import is_relative_path
from products.composition.startup import awaited_by

LEFT_OUT = frozenset({".git", ".env", "__pycache__", ".DS_Store"})
FIXED_ADDRESSES = ("ipv4_address", "ipv6_address", "link_local_ips", "mac_address")


class AdoptionRefused(Refusal):
    """The compose file cannot be adopted; nothing was written."""

    code = "adoption_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A product folder that was made, what was changed on the way, and what is left to do."""

    folder: Path
    changes: tuple[str, ...]
    to_do: tuple[str, ...]


def adopt_composition(compose_file: Path, into: Path) -> Adoption:
    """The product folder `into`, or `into/products/<name>` of a catalogue or git repository; raises AdoptionRefused.

    The compose file and its folder stay as they are.
    """
    source = compose_file.resolve()
    folder = _target(source, into)
    try:
        data = load_compose(source.read_text(encoding="utf-8"))
        values = _env_values(source.parent / ".env")
    except OSError as error:
        raise AdoptionRefused(f"{compose_file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise AdoptionRefused(f"{compose_file}: {error}") from error
    composition = _Composition(data, source.parent, values)
    compose, manifest = composition.adopt(title=source.parent.name)
    files = list(composition.files_to_copy())
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source.parent / path, folder / path)
    (folder / COMPOSE).write_text(compose, encoding="utf-8")
    (folder / MANIFEST).write_text(manifest, encoding="utf-8")
    notes = composition.notes
    return Adoption(folder=folder, changes=tuple(notes.changes), to_do=tuple(notes.to_do))


def _target(source: Path, into: Path) -> Path:
    slug = re.sub(r"[^a-z0-9]+", "-", source.parent.name.lower()).strip("-")[:60].strip("-") or "product"
    is_catalogue = (into / "products").is_dir() or (into / ".git").exists()
    folder = into / "products" / slug if is_catalogue else into
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AdoptionRefused(f"{folder} exists already and is not an empty folder; name another one with --into.")
    if folder.resolve() == source.parent:
        raise AdoptionRefused("The product's folder has to be another one than the compose file's.")
    return folder


def _env_values(path: Path) -> dict[str, str]:
    return parse_env(path.read_text(encoding="utf-8")) if path.is_file() else {}


class _Composition:
    """A composition on its way to being a product."""

    def __init__(self, data: dict[str, Any], root: Path, values: dict[str, str]) -> None:
        self.data = data
        self.root = root
        self.values = values
        self.notes = Notes()
        self.mounts = Mounts(has_file=lambda path: (root / path).exists(), notes=self.notes)

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        """The settings of each service."""
        services: dict[str, dict[str, Any]] = self.data["services"]
        return services

    def adopt(self, *, title: str) -> tuple[str, str]:
        """The texts of compose.yaml and product.yaml."""
        for key in ("version", "name"):
            if self.data.pop(key, None) is not None:
                self.notes.change(f"“{key}” was removed; the platform names the project.")
        for service, settings in self.services.items():
            self._take_env_files(service, settings)
        plan = plan_variables(self.data, self.values, self.notes)
        self.data = use_secrets(self.data, plan)
        endpoints = propose_endpoints(self.services, self.notes)
        self._adopt_services()
        self._adopt_networks_and_volumes()
        self._resolve(plan)
        self._note_other_files()
        return dump_yaml(self.data), _manifest_text(title, plan, endpoints, self.notes)

    def files_to_copy(self) -> Iterator[PurePosixPath]:
        """Every file that the product needs, relative to the compose file; raises AdoptionRefused."""
        total = 0
        for name in sorted(self.mounts.files):
            start = self.root / name
            for path in sorted(start.rglob("*")) if start.is_dir() else [start]:
                relative = PurePosixPath(path.relative_to(self.root).as_posix())
                if path.is_dir() or LEFT_OUT.intersection(relative.parts) or relative.name in (COMPOSE, MANIFEST):
                    continue
                if path.is_symlink() or not path.is_file():
                    self.notes.task(f"{relative} is a link or a device and was not copied.")
                    continue
                total += path.stat().st_size
                if total > LARGEST:
                    raise AdoptionRefused(f"The files beside the compose file are larger than {LARGEST // 1024**2} MB.")
                yield relative

    # --- Services ---------------------------------------------------------------------------------------------------
    def _take_env_files(self, service: str, settings: dict[str, Any]) -> None:
        """The variables of `env_file` are in `environment`, where the service's own values win."""
        files = as_list(settings.pop("env_file", None))
        environment: dict[str, Any] = {}
        for item in files:
            name = str(item.get("path", "")) if isinstance(item, dict) else str(item)
            path = self.root / name
            if not is_relative_path(name) or not path.is_file():
                self.notes.task(f"{service}: {name} was not found; add its variables to “environment”.")
            elif path == self.root / ".env":
                environment |= {key: f"${{{key}}}" for key in self.values}
            else:
                environment |= parse_env(path.read_text(encoding="utf-8"))
        if files:
            self.notes.change(f"{service}: the variables of its env files are under “environment” now.")
        environment |= as_mapping(settings.get("environment"))
        if environment:
            settings["environment"] = {name: self._given(name, value) for name, value in environment.items()}

    def _given(self, name: str, value: Any) -> str:
        """A variable that is passed on by its name gets the value that it would have had."""
        if value is None:
            return f"${{{name}:-}}"
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _adopt_services(self) -> None:
        awaited = {needed for settings in self.services.values() for needed in awaited_by(settings)}
        for service, settings in self.services.items():
            if settings.pop("container_name", None) is not None:
                self.notes.change(f"{service}: “container_name” was removed; other services reach it as “{service}”.")
            if ports := container_ports(settings):
                exposed = [str(port) for port in as_list(settings.get("expose"))]
                settings["expose"] = list(dict.fromkeys([*exposed, *map(str, ports)]))
            if settings.pop("ports", None):
                self.notes.change("“ports” were removed; the platform publishes the ports of the endpoints.")
            if not settings.get("restart") and service not in awaited:
                settings["restart"] = "unless-stopped"
            self.mounts.adopt(service, settings)
            self._adopt_build(service, settings)
            self._adopt_attachments(service, settings)
            if not settings.get("healthcheck"):
                self.notes.task(f"{service}: add a healthcheck, unless its image has one.")

    def _adopt_build(self, service: str, settings: dict[str, Any]) -> None:
        build = settings.get("build")
        context = str(build.get("context", ".") if isinstance(build, dict) else build or "")
        if not context:
            return
        plain = str(PurePosixPath(context))
        if not is_relative_path(context) or not (self.root / plain).is_dir():
            self.notes.task(f"{service}: copy what {context} holds into the product's folder and build from there.")
        elif plain == ".":
            self.mounts.files.update(path.name for path in self.root.iterdir() if path.name not in LEFT_OUT)
        else:
            self.mounts.files.add(plain)

    def _adopt_attachments(self, service: str, settings: dict[str, Any]) -> None:
        networks = settings.get("networks")
        for attachment in networks.values() if isinstance(networks, dict) else ():
            for key in FIXED_ADDRESSES:
                if isinstance(attachment, dict) and attachment.pop(key, None) is not None:
                    self.notes.change(f"{service}: its fixed address was removed; use the service's name.")

    # --- The rest of the file ---------------------------------------------------------------------------------------
    def _adopt_networks_and_volumes(self) -> None:
        for section, dropped in (
            ("networks", ("name", "external", "ipam", "driver", "driver_opts", "attachable")),
            ("volumes", ("name", "external", "driver", "driver_opts")),
        ):
            members = self.data.get(section) or {}
            for name, settings in members.items():
                removed = [key for key in dropped if isinstance(settings, dict) and settings.pop(key, None)]
                if removed:
                    self.notes.change(f"{section} “{name}”: {', '.join(removed)} removed; each order has its own.")
                members[name] = settings or None
        if self.mounts.volumes:
            self.data["volumes"] = {**(self.data.get("volumes") or {}), **self.mounts.volumes}

    def _resolve(self, plan: VariablePlan) -> None:
        self.data = rewrite(self.data, lambda path, text: plan.resolve(path, text))

    def _note_other_files(self) -> None:
        """Files that configs, secrets, `extends` and `include` lead to come along as they are."""
        paths = [
            str(item.get("path") if isinstance(item, dict) else item) for item in as_list(self.data.get("include"))
        ]
        for service in self.services.values():
            extends = service.get("extends")
            paths += [str(extends["file"])] if isinstance(extends, dict) and extends.get("file") else []
        for path in paths:
            self.notes.task(f"{path} comes along as it is: check what it declares, too.")
        for section in ("configs", "secrets"):
            for item in (self.data.get(section) or {}).values():
                paths += [str(item["file"])] if isinstance(item, dict) and item.get("file") else []
        for path in paths:
            plain = str(PurePosixPath(path))
            if is_relative_path(path) and (self.root / plain).is_file():
                self.mounts.files.add(plain)
            else:
                self.notes.task(f"{path} is not beside the compose file: copy it into the product's folder.")


def _manifest_text(title: str, plan: VariablePlan, endpoints: list[dict[str, Any]], notes: Notes) -> str:
    name = re.sub(r"[-_]+", " ", title).strip().capitalize() or "Product"
    notes.task("product.yaml: write the summary and the description, and set the plans' prices and sizes.")
    manifest: dict[str, Any] = {
        "name": name,
        "summary": f"{name}, as its compose file defines it",
        **{key: part for key, part in plan.manifest_parts.items() if part},
        "endpoints": endpoints,
        "plans": [
            {
                "slug": "standard",
                "name": "Standard",
                "price": "0.00",
                "currency": "EUR",
                "period": "month",
                "placement": "dedicated",
                "size": {"cpus": 2, "ram_gb": 4, "disk_gb": 40},
            }
        ],
    }
    return dump_yaml(manifest)
