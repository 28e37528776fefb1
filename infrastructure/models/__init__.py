"""Where servers come from, and what runs on them."""

from __future__ import annotations

from infrastructure.models.deployment import Deployment, PublishedPort, Service
from infrastructure.models.endpoint import Endpoint
from infrastructure.models.host import Host, HostSecrets
from infrastructure.models.option import ProviderOption
from infrastructure.models.provider import Provider, ProviderSecrets
from infrastructure.models.server import Server, ServerKeys

__all__ = [
    "Deployment",
    "Endpoint",
    "Host",
    "HostSecrets",
    "Provider",
    "ProviderOption",
    "ProviderSecrets",
    "PublishedPort",
    "Server",
    "ServerKeys",
    "Service",
]
