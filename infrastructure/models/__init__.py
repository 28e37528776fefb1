"""Providers, hosts, servers and what runs on them."""

from __future__ import annotations

from infrastructure.models.deployment import Deployment, PublishedPort, Service
from infrastructure.models.drift import DriftFinding, DriftScan
from infrastructure.models.endpoint import Endpoint
from infrastructure.models.host import Host, HostSecrets
from infrastructure.models.observation import Observation
from infrastructure.models.plan_size import PlanSize
from infrastructure.models.provider import Provider, ProviderSecrets
from infrastructure.models.provider_option import ProviderOption
from infrastructure.models.server import Server, ServerKeys
from infrastructure.models.server_action import ServerAction

__all__ = [
    "Deployment",
    "DriftFinding",
    "DriftScan",
    "Endpoint",
    "Host",
    "HostSecrets",
    "Observation",
    "PlanSize",
    "Provider",
    "ProviderOption",
    "ProviderSecrets",
    "PublishedPort",
    "Server",
    "ServerAction",
    "ServerKeys",
    "Service",
]
