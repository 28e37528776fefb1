"""The labels that identify an order's containers and what they were created from."""

from __future__ import annotations

import hashlib
import json

from infrastructure.contracts.runtime import Composition

KEY_LABEL = "live.key"
DIGEST_LABEL = "live.digest"
SETTINGS_LABEL = "live.settings"
JOB_LABEL = "live.job"
"""On the containers of services that may end: "once" for those that are not restarted automatically."""
RESERVED_LABELS = ("live.", "com.docker.compose.")


def settings_digest(composition: Composition) -> str:
    """Changes with a container's environment or published ports, and reveals neither."""
    ports = sorted((port.service, port.container_port, port.host_port) for port in composition.ports)
    settings = json.dumps([composition.key, ports, sorted(composition.environment.items())])
    return hashlib.sha256(settings.encode()).hexdigest()


def labels_of(composition: Composition) -> dict[str, str]:
    """The labels of every container of this composition."""
    return {
        KEY_LABEL: composition.key,
        DIGEST_LABEL: composition.digest,
        SETTINGS_LABEL: settings_digest(composition),
    }


def builder_name(key: str) -> str:
    """A host name that only this key's builds have: it identifies their containers."""
    return f"{key.lower()}.build"
