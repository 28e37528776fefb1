"""Where servers come from, and what runs on them."""

from __future__ import annotations

from infrastructure.models.deployment import Deployment, PublishedPort, Service
from infrastructure.models.endpoint import Endpoint
from infrastructure.models.provider import Provider
from infrastructure.models.reconciling import Finding, Reconciliation
from infrastructure.models.server import Server

__all__ = [
    "Deployment",
    "Endpoint",
    "Finding",
    "Provider",
    "PublishedPort",
    "Reconciliation",
    "Server",
    "Service",
]
