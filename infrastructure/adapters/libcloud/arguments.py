"""The arguments of each driver's constructor: which there are, which are required, and which to pass on."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

SECRET_NAME_PARTS = ("key", "secret", "password", "token")

# Drivers pass these to their base class themselves: given as well, they would be passed twice.
TAKEN: Mapping[str, frozenset[str]] = {
    "abiquo": frozenset({"key"}),
    "azure": frozenset({"key", "secret"}),
    "upcloud": frozenset({"key", "secret"}),
}
# Required by the driver although its signature does not say so.
NEEDED: Mapping[str, frozenset[str]] = {
    "azure": frozenset({"subscription_id", "key_file"}),
    "cloudsigma": frozenset({"secret"}),
    "cloudstack": frozenset({"secret", "url"}),
    "ec2": frozenset({"secret"}),
    "exoscale": frozenset({"secret"}),
    "gce": frozenset({"key", "project"}),
    "kubevirt": frozenset({"host"}),  # its default is the worker's own machine
    "openstack": frozenset({"secret", "ex_force_auth_url", "ex_tenant_name"}),
    "vcl": frozenset({"host"}),
}
# Python packages that a driver needs.
PACKAGES: Mapping[str, str] = {"libvirt": "libvirt", "vsphere": "pyVmomi"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a driver's constructor."""

    name: str
    default: object = None
    is_required: bool = False

    @property
    def is_secret(self) -> bool:
        """True when the value is a credential."""
        return any(part in self.name for part in SECRET_NAME_PARTS)


def can_open(name: str) -> bool:
    """False for a driver whose Python package is not installed."""
    return name not in PACKAGES or find_spec(PACKAGES[name]) is not None


def arguments_of(name: str, driver: type) -> Sequence[Argument]:
    """The arguments of the driver's constructor, required ones first."""
    found: dict[str, Argument] = {}
    for parameter in _parameters(driver):
        required = parameter.default is parameter.empty
        default = None if required else parameter.default
        found.setdefault(parameter.name, Argument(name=parameter.name, default=default, is_required=required))
    needed, taken = NEEDED.get(name, frozenset()), TAKEN.get(name, frozenset())
    arguments = [
        replace(argument, is_required=argument.is_required or argument.name in needed)
        for argument in found.values()
        if argument.name not in taken
    ]
    return sorted(arguments, key=lambda argument: not argument.is_required)


def differing(name: str, driver: type, settings: Mapping[str, object]) -> dict[str, object]:
    """The settings that differ from the driver's own defaults: some drivers refuse even those."""
    arguments = {argument.name: argument for argument in arguments_of(name, driver)}
    return {
        key: value
        for key, value in settings.items()
        if key not in TAKEN.get(name, frozenset())
        and value not in (None, "")
        and not (key in arguments and not arguments[key].is_required and value == arguments[key].default)
    }


def _parameters(driver: type) -> Iterator[inspect.Parameter]:
    """The named parameters of the constructors, from the driver upwards, as far as each accepts `**kwargs`."""
    for constructor in ("__new__", "__init__"):
        for cls in driver.__mro__[:-1]:
            if constructor not in cls.__dict__:
                continue
            parameters = list(inspect.signature(cls.__dict__[constructor]).parameters.values())[1:]
            yield from (item for item in parameters if item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD))
            if not any(item.kind is item.VAR_KEYWORD for item in parameters):
                break
