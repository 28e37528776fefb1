"""How staff see providers, and what runs where."""

from __future__ import annotations

from infrastructure.admin.errand import ErrandAdmin
from infrastructure.admin.host import HostAdmin
from infrastructure.admin.provider import ProviderAdmin
from infrastructure.admin.reconciling import FindingAdmin, ReconciliationAdmin
from infrastructure.admin.rows import DeploymentAdmin, EndpointAdmin
from infrastructure.admin.server import ServerAdmin
from infrastructure.admin.server_keys import ServerKeysAdmin
from infrastructure.admin.service import ServiceAdmin

__all__ = [
    "DeploymentAdmin",
    "EndpointAdmin",
    "ErrandAdmin",
    "FindingAdmin",
    "HostAdmin",
    "ProviderAdmin",
    "ReconciliationAdmin",
    "ServerAdmin",
    "ServerKeysAdmin",
    "ServiceAdmin",
]
