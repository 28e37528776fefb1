"""Values that stand for an order's, so that a composition can be judged before anybody orders it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PLATFORM = {
    "LIVE_ORDER": "GL7K3M",
    "LIVE_CUSTOMER": "10001",
    "LIVE_PRODUCT": "product",
    "LIVE_RELEASE": "v1.0",
    "LIVE_DOMAIN": "192.0.2.10:20001",
}
SECRET = "k7Hq2mWx9RtB4nZc8VpL3fJd"  # noqa: S105  (stands for a generated one)
HOSTILE = 'etc:/host,ro # "it\'s" $(id) ${HOME} $$ `id` \\ %s {a: [b]} container:live-other-1 ../../etc'

Environment = dict[str, str]


def ordinary(manifest: Mapping[str, Any]) -> Environment:
    """What an order has that leaves every input as it is."""
    return _environment(manifest, {_key(spec): _ordinary(spec) for spec in _inputs(manifest)})


def sparse(manifest: Mapping[str, Any]) -> Environment:
    """What an order has whose customer gives as little as possible."""
    return _environment(manifest, {_key(spec): _least(spec) for spec in _inputs(manifest)})


def hostile(manifest: Mapping[str, Any]) -> Environment:
    """What an order has whose customer tries to reach the host."""
    return _environment(manifest, {_key(spec): _most(spec) for spec in _inputs(manifest)})


def _environment(manifest: Mapping[str, Any], inputs: Environment) -> Environment:
    secrets = {_key(spec): SECRET for spec in manifest.get("secrets") or ()}
    return {**inputs, **secrets, **PLATFORM}


def _inputs(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(manifest.get("inputs") or ())


def _key(spec: Mapping[str, Any]) -> str:
    return str(spec["key"]).upper()


def _text(value: Any) -> str:
    """As an order's values are written into its environment."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ordinary(spec: Mapping[str, Any]) -> str:
    if spec.get("default") not in (None, ""):
        return _text(spec["default"])
    match spec["type"]:
        case "choice":
            return str(spec["choices"][0]["value"])
        case "integer":
            return str(spec.get("min", spec.get("max", 1)))
        case "boolean":
            return "true"
        case "email":
            return "someone@example.org"
    return "sample"


def _least(spec: Mapping[str, Any]) -> str:
    if spec.get("required") or spec.get("default") not in (None, ""):
        return str(spec["min"]) if "min" in spec else _ordinary(spec)
    return ""


def _most(spec: Mapping[str, Any]) -> str:
    match spec["type"]:
        case "choice":
            return str(spec["choices"][-1]["value"])
        case "integer":
            return str(spec.get("max", spec.get("min", 1)))
        case "boolean":
            return "false"
        case "text":
            return f"{HOSTILE}\n- privileged: true\n"
        case "email":
            return "etc:/host:ro,z#$(id)`\"'@example.org"
    return HOSTILE
