"""Volumes of the platform's own on an order's engine: the release's files, and a note of what a stop interrupted.

They carry the order's labels, so they are found and removed with everything else of the order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from core.errors import TransientError
from infrastructure.adapters.compose.carried import tar_of
from infrastructure.adapters.compose.labels import KEY_LABEL
from infrastructure.adapters.docker.engine import PROJECT_LABEL, DockerEngine

FILES_LABEL = "live.files"
INTERRUPTED_LABEL = "live.interrupted"
_FOLDER = "/files"


def carry_files(engine: DockerEngine, project: str, key: str, archive: bytes) -> str:
    """The host's folder with the archive's files, which are unpacked each time, so that it is never incomplete.

    The engine itself unpacks them into a volume over the existing connection. A container that is never started, of
    an empty image, mounts the volume meanwhile.
    """
    name = files_volume(project, archive)
    labels = {PROJECT_LABEL: project, KEY_LABEL: key, FILES_LABEL: "yes"}
    with engine.api() as api:
        api.create_volume(name, labels=labels)
        image = _empty_image(api, project, key)
        try:
            settings = api.create_host_config(binds=[f"{name}:{_FOLDER}"], network_mode="none")
            container = api.create_container(image, command=["-"], labels=labels, host_config=settings)["Id"]
            try:
                api.put_archive(container, _FOLDER, archive)
            finally:
                api.remove_container(container, force=True)
        finally:
            api.remove_image(image, force=True)
        return str(api.inspect_volume(name)["Mountpoint"])


def files_volume(project: str, archive: bytes) -> str:
    """The volume's name. It changes with the files, so files in use never change under running containers."""
    return f"{project}_live-files-{hashlib.sha256(archive).hexdigest()[:16]}"


def clear_outdated(engine: DockerEngine, key: str, *, keep: str) -> None:
    """No files of other releases and no note of an earlier stop are left; `keep` is the volume in use."""
    with engine.api() as api:
        volumes = _volumes(api, key)
    for volume in volumes:
        if volume["Name"] != keep and not {FILES_LABEL, INTERRUPTED_LABEL}.isdisjoint(volume["Labels"]):
            engine.remove_volume(volume["Name"])


def note_interrupted(engine: DockerEngine, project: str, key: str, services: Collection[str]) -> None:
    """A note on the engine says which services were running when they were stopped, until it is cleared."""
    labels = {PROJECT_LABEL: project, KEY_LABEL: key, INTERRUPTED_LABEL: " ".join(sorted(services))}
    with engine.api() as api:
        # An existing note was written before the stop began: the engine leaves it unchanged.
        api.create_volume(f"{project}_live-interrupted", labels=labels)


def interrupted(engine: DockerEngine, key: str) -> frozenset[str]:
    """The services that were running when the order was stopped."""
    with engine.api() as api:
        notes = [volume["Labels"].get(INTERRUPTED_LABEL, "") for volume in _volumes(api, key)]
    return frozenset(name for note in notes for name in note.split())


def _volumes(api: Any, key: str) -> list[Mapping[str, Any]]:
    """The platform's own volumes of the order: Compose does not set the key."""
    return list(api.volumes(filters={"label": f"{KEY_LABEL}={key}"})["Volumes"] or ())


def _empty_image(api: Any, project: str, key: str) -> str:
    changes = [f"LABEL {KEY_LABEL}={key}"]
    answer = api.import_image_from_data(tar_of({}), repository=f"{project}-live-files", tag="empty", changes=changes)
    try:
        return str(json.loads(answer.strip().splitlines()[-1])["status"])
    except (ValueError, KeyError, IndexError) as error:
        raise TransientError(f"Docker Engine did not import an image: {answer.strip()[-200:]}") from error
