"""Volumes by which an order's engine keeps what is the platform's: the release's files, and what a stop interrupted.

They carry the order's labels, so they are found and removed with everything else that is the order's.
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
    """The host's folder with the archive's files; they are unpacked anew each time, so it never holds half of them.

    The engine itself unpacks them into a volume, through the one connection there is to it: a container that is never
    started holds the volume meanwhile, made from an image without content.
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
    """The volume's name: other files have another, so what runs never changes under its containers."""
    return f"{project}_live-files-{hashlib.sha256(archive).hexdigest()[:16]}"


def clear_outdated(engine: DockerEngine, key: str, *, keep: str) -> None:
    """No files of other releases are left, and no note of an earlier stop; `keep` is the volume of what runs."""
    with engine.api() as api:
        volumes = _volumes(api, key)
    for volume in volumes:
        if volume["Name"] != keep and not {FILES_LABEL, INTERRUPTED_LABEL}.isdisjoint(volume["Labels"]):
            engine.remove_volume(volume["Name"])


def note_interrupted(engine: DockerEngine, project: str, key: str, services: Collection[str]) -> None:
    """The engine keeps, until it is cleared, that these services were at work when they were stopped."""
    labels = {PROJECT_LABEL: project, KEY_LABEL: key, INTERRUPTED_LABEL: " ".join(sorted(services))}
    with engine.api() as api:
        # One that is there already was written before the stop had begun: the engine leaves it as it is.
        api.create_volume(f"{project}_live-interrupted", labels=labels)


def interrupted(engine: DockerEngine, key: str) -> frozenset[str]:
    """The services that were at work when the order was stopped."""
    with engine.api() as api:
        notes = [volume["Labels"].get(INTERRUPTED_LABEL, "") for volume in _volumes(api, key)]
    return frozenset(name for note in notes for name in note.split())


def _volumes(api: Any, key: str) -> list[Mapping[str, Any]]:
    """The order's volumes that are the platform's own: Compose knows no key."""
    return list(api.volumes(filters={"label": f"{KEY_LABEL}={key}"})["Volumes"] or ())


def _empty_image(api: Any, project: str, key: str) -> str:
    changes = [f"LABEL {KEY_LABEL}={key}"]
    answer = api.import_image_from_data(tar_of({}), repository=f"{project}-live-files", tag="empty", changes=changes)
    try:
        return str(json.loads(answer.strip().splitlines()[-1])["status"])
    except (ValueError, KeyError, IndexError) as error:
        raise TransientError(f"Docker Engine did not take an image: {answer.strip()[-200:]}") from error
