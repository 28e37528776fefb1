"""How each libcloud driver accepts user-data: libcloud has no common name for it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from core.errors import ConfigError


def _as_it_is(text: str) -> str:
    return text


def _as_bytes(text: str) -> bytes:
    return text.encode()


def _as_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


# Parameters of `create_node`, and the encoding they expect. Most drivers encode the text themselves.
PARAMETERS: Mapping[str, Callable[[str], str | bytes]] = {
    "ex_userdata": _as_it_is,  # EC2, OpenStack, CloudStack and its like, Brightbox, Linode, Vultr
    "ex_user_data": _as_it_is,  # DigitalOcean
    "cloud_init": _as_it_is,  # Equinix Metal
    "ex_custom_data": _as_it_is,  # Azure, classic
    "ex_customdata": _as_bytes,  # Azure Resource Manager's driver encodes bytes only
}
BY_DRIVER: Mapping[str, Callable[[str], str | bytes]] = {"Outscale API": _as_base64}
CREATE_ATTRIBUTES = "ex_create_attr"  # cloudscale.ch and GIG: a dict that goes into the request


def user_data_options(name: str, accepted: Mapping[str, Any], given: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The arguments that pass `text` to a `create_node` with these parameters; raises ConfigError if there are none.

    `given` are its other arguments.
    """
    if not text:
        return {}
    for parameter, written in PARAMETERS.items():
        if parameter in accepted:
            return {parameter: BY_DRIVER.get(name, written)(text)}
    if CREATE_ATTRIBUTES in accepted:
        return {CREATE_ATTRIBUTES: {**given.get(CREATE_ATTRIBUTES, {}), "user_data": text}}
    raise ConfigError(f"{name}: its libcloud driver does not support user-data; use existing hosts with Docker instead")
