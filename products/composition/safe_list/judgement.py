"""What a composition may ask of the server it runs on. Pure: Compose's model in, sentences out.

The model is what `docker compose config --format json` prints: variables filled in, `extends` and `include` merged,
short forms written out. Everything in it that is not known to be harmless is refused, as Compose gets new ways to reach
the host with each version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from products.composition.safe_list.declarations import MODEL
from products.composition.safe_list.limits import too_many_containers
from products.composition.safe_list.rules import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Something that a composition may not ask, and where it does."""

    place: str
    """The path in the model, such as `services.web.volumes[0]`."""
    message: str
    """A sentence for the product's author."""

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


def judge_model(model: Mapping[str, Any], *, trusted: bool = False, root: str = "") -> list[Violation]:
    """What of the model is not on the safe list; nothing for a trusted product.

    `root` is the product's folder as the model writes it (Compose makes paths absolute); without it, paths have to be
    relative. The model has to be that of the release's own files, without what the platform lays over them.
    """
    if trusted:
        return []
    context = Context(
        project=str(model.get("name") or ""),
        root=root.rstrip("/"),
        services=frozenset(model.get("services") or ()),
        volumes=frozenset(model.get("volumes") or ()),
    )
    return [
        Violation(place=place, message=message)
        for place, message in (*MODEL(model, context), *too_many_containers(model))
    ]
