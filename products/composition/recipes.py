"""The images that a Dockerfile begins with or copies from. Pure.

The builds of all orders on an engine find each other's images there, whatever the registry has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from products.composition.safe_list.rules import is_platform_image
from products.composition.stand_ins import HOSTILE

Finding = tuple[str, str]

PLATFORM_PREFIX = "live-"
TYPED = HOSTILE[:9]
_INSTRUCTION = re.compile(r"^\s*(?:ONBUILD\s+)?(ARG|FROM|COPY|ADD|RUN)\s+(.*)$", re.I | re.S)
_SYNTAX = re.compile(r"^\s*#\s*syntax\s*=\s*(\S+)", re.I)
_COPIED = re.compile(r"(?:--from=|[,=]from=|--mount=from=)[\"']?([^\s,\"']+)")
_ARGUMENT = re.compile(r"([A-Za-z_]\w*)(?:=(?:\"([^\"]*)\"|'([^']*)'|(\S*)))?")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?:(:?[-+])([^}]*))?\}|([A-Za-z_]\w*))")


def recipe_findings(model: Mapping[str, Any], root: str, files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Each (place in the model, sentence) about an image that belongs to another order, or could be made to."""
    for name, service in (model.get("services") or {}).items():
        build = service.get("build")
        if not isinstance(build, Mapping):
            continue
        args = build.get("args")
        values = {key: _plain(value) for key, value in (args if isinstance(args, Mapping) else {}).items()}
        is_inline = bool(build.get("dockerfile_inline"))
        place = f"services.{name}.build.{'dockerfile_inline' if is_inline else 'dockerfile'}"
        text = _plain(build["dockerfile_inline"]) if is_inline else _recipe(build, root, files)
        for image in images_in(text, values):
            typed = image.find(TYPED)
            if is_platform_image(image):
                message = _("“%(image)s” is how images of orders are called; use an image of a registry.")
                yield place, message % {"image": image}
            elif typed >= 0 and PLATFORM_PREFIX.startswith(image[:typed].lower()):
                yield place, _("what a customer types would choose the image to build on; use an input of type choice.")


def images_in(text: str, args: Mapping[str, str]) -> Iterator[str]:
    """Every image that the Dockerfile names, its own stages left out, with `args` and defaults filled in."""
    values: dict[str, str] = {}
    stages: set[str] = set()
    for line in _lines(text):
        if syntax := _SYNTAX.match(line):
            yield syntax[1]
        elif found := _INSTRUCTION.match(line):
            instruction, rest = found[1].upper(), found[2].strip()
            if instruction == "ARG":
                values |= _declared(rest, values, args)
                continue
            if instruction == "FROM":
                parts = [part for part in rest.split() if not part.startswith("--")]
                named, stage = parts[:1], parts[2] if len(parts) > 2 and parts[1].lower() == "as" else ""
            else:
                named, stage = _COPIED.findall(rest), ""
            yield from (image for name in named if (image := _filled(name, values)).lower() not in stages)
            stages.add(stage.lower())


def _lines(text: str) -> Iterator[str]:
    """The instructions, each on one line: an escape at the end of a line continues it, comments in between or not."""
    held = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            if not held:
                yield line
            continue
        held += line.rstrip()
        if held.endswith(("\\", "`")):
            held = f"{held[:-1]} "
            continue
        yield held
        held = ""
    yield held


def _declared(text: str, values: Mapping[str, str], args: Mapping[str, str]) -> dict[str, str]:
    declared = {}
    for name, double, single, bare in _ARGUMENT.findall(text):
        declared[name] = args.get(name, _filled(double or single or bare, values))
    return declared


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name, operator, other = found[1] or found[4], found[2] or "", found[3] or ""
        filled = values.get(name, "")
        is_given = bool(filled) if operator.startswith(":") else name in values
        if operator.endswith("+"):
            return other if is_given else ""
        return filled if is_given or not operator else other

    return _VARIABLE.sub(value, text).strip("\"'")


def _recipe(build: Mapping[str, Any], root: str, files: Mapping[str, bytes]) -> str:
    """The text of the Dockerfile; nothing for one that the product does not have, which is judged elsewhere."""
    context = str(build.get("context", "."))
    below = "." if context == root else context.removeprefix(f"{root}/")
    path = str(PurePosixPath(below, str(build.get("dockerfile") or "Dockerfile")))
    return files.get(path, b"").decode("utf-8", "replace")


def _plain(value: Any) -> str:
    """A dollar is doubled in Compose's model."""
    return "" if value is None else str(value).replace("$$", "$")
