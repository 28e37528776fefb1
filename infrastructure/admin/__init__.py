"""The admin of providers, hosts, servers, deployments, services and drift."""

from __future__ import annotations

from infrastructure.admin.deployment import DeploymentAdmin, EndpointAdmin
from infrastructure.admin.drift import DriftFindingAdmin, DriftScanAdmin
from infrastructure.admin.host import HostAdmin
from infrastructure.admin.provider import ProviderAdmin
from infrastructure.admin.server import ServerAdmin
from infrastructure.admin.server_action import ServerActionAdmin
from infrastructure.admin.server_keys import ServerKeysAdmin
from infrastructure.admin.service import ServiceAdmin

__all__ = [
    "DeploymentAdmin",
    "DriftFindingAdmin",
    "DriftScanAdmin",
    "EndpointAdmin",
    "HostAdmin",
    "ProviderAdmin",
    "ServerActionAdmin",
    "ServerAdmin",
    "ServerKeysAdmin",
    "ServiceAdmin",
]
