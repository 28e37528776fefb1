"""What may go wrong with a composition that is allowed: warnings for its author. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from products.composition.startup import Startup

Finding = tuple[str, str]

_SECRET = re.compile(r"PASSWORD|PASSWD|PASSPHRASE|(^|_)(PASS|PW)$|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY", re.I)
_NOT_SECRET = re.compile(r"_(FILE|PATH|URL|ENABLED|EXPIRY|TTL|LENGTH)$", re.I)


def is_secret_name(name: str) -> bool:
    """True of a variable that by its name holds a password, key or token."""
    return bool(_SECRET.search(name)) and not _NOT_SECRET.search(name)


def model_advice(model: Mapping[str, Any], startup: Startup) -> Iterator[Finding]:
    """Each (place, sentence) about the services that are started, and about those that are not."""
    for name, service in (model.get("services") or {}).items():
        place = f"services.{name}"
        if name in startup.never:
            yield place, _("this service is never started (a profile, or no replicas).")
            continue
        yield from _image(place, service)
        if name in startup.running and not service.get("healthcheck"):
            yield place, _("this service has no healthcheck; one may be in its image, but the platform cannot tell.")
        if not service.get("restart") and not (service.get("deploy") or {}).get("restart_policy"):
            message = _("without “restart: unless-stopped” the service stays down when it ends, and counts as done.")
            yield place, message
        yield from _mounts(place, service)
        if service.get("ports"):
            message = _("published ports are ignored: the platform publishes the ports that endpoints name.")
            yield f"{place}.ports", message


def plain_secrets(data: Any) -> Iterator[Finding]:
    """Passwords that are written out in the text: every order would have the same."""
    services = data.get("services") if isinstance(data, Mapping) else None
    for name, service in services.items() if isinstance(services, Mapping) else ():
        values = service.get("environment") if isinstance(service, Mapping) else None
        pairs = values.items() if isinstance(values, Mapping) else _pairs(values)
        for key, value in pairs:
            if is_secret_name(str(key)) and value not in (None, "", True, False) and "$" not in str(value):
                message = _("“%(name)s” is the same for every order; make it one of the product's secrets.")
                yield f"services.{name}.environment.{key}", message % {"name": key}


def _pairs(values: Any) -> Iterator[tuple[str, str]]:
    for item in values if isinstance(values, list) else ():
        name, _equals, value = str(item).partition("=")
        yield name, value


def _image(place: str, service: Mapping[str, Any]) -> Iterator[Finding]:
    image = str(service.get("image") or "")
    if not image or service.get("build") or "@sha256:" in image:
        return
    tag = image.rpartition("/")[2].partition(":")[2]
    if tag in ("", "latest"):
        message = _("“%(image)s” may be another image tomorrow; name a version.")
        yield f"{place}.image", message % {"image": image}


def _mounts(place: str, service: Mapping[str, Any]) -> Iterator[Finding]:
    for number, mount in enumerate(service.get("volumes") or ()):
        if mount.get("type") == "volume" and not mount.get("source"):
            message = _("a volume without a name is left behind by the next release; give it a name.")
            yield f"{place}.volumes[{number}]", message
