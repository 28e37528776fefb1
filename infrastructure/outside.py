"""Makes the adapters for a provider: the one place that tests replace."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from infrastructure.adapters.docker_runtime import DockerRuntime
from infrastructure.adapters.libcloud_cloud import LibcloudCloud
from infrastructure.adapters.this_machine import ThisMachine
from infrastructure.adapters.words import Cloud, Runtime
from infrastructure.models import Provider
from infrastructure.sandbox.driver import SandboxNodeDriver
from infrastructure.sandbox.runtime import SandboxRuntime


def get_cloud(provider: Provider) -> Cloud:
    """Where the provider's servers come from."""
    if provider.is_sandbox:
        return LibcloudCloud(driver=SandboxNodeDriver(provider.pk), image_id="debian-12")
    return ThisMachine(address=provider.address)


def get_runtime(provider: Provider) -> Runtime:
    """What runs compositions on the provider's servers."""
    if provider.is_sandbox:
        return SandboxRuntime(provider.pk)
    work_dir = Path(settings.VAR_DIR) / "compositions"
    return DockerRuntime(work_dir=work_dir, timeout=settings.TASK_TIMEOUT * 0.8)
