"""A deployment as the composition that the runtime launches."""

from __future__ import annotations

from infrastructure.contracts.runtime import Composition
from infrastructure.models import Deployment
from infrastructure.placement.ports import ports_of


def composition_of(deployment: Deployment) -> Composition:
    """The deployment as the runtime expects it; it holds secrets, which only the worker's memory sees."""
    order = deployment.order
    release = deployment.release
    secrets = {spec["key"] for spec in release.secrets}
    return Composition(
        key=order.key,
        compose=release.compose,
        bundle=bytes(release.bundle.archive),
        digest=release.digest,
        ports=ports_of(deployment),
        images=deployment.pinned_images,
        are_images_ready=deployment.prepared_version == deployment.wanted_version,
        is_trusted=release.product.is_trusted,
        is_new_try=deployment.attempts <= 1,
        environment={
            **{key.upper(): _as_text(value) for key, value in order.inputs.items()},
            # A secret of another release stays with the order, in case it goes back there.
            **{key.upper(): value for key, value in order.secrets.values.items() if key in secrets},
            "LIVE_ORDER": order.reference,
            "LIVE_CUSTOMER": order.customer.number,
            "LIVE_PRODUCT": release.product.slug,
            "LIVE_RELEASE": release.version,
            "LIVE_DOMAIN": domain_of(deployment),
        },
    )


def domain_of(deployment: Deployment) -> str:
    """Public host and port of the first endpoint."""
    first = deployment.endpoints.filter(is_retired=False).order_by("pk").first()
    return first.url.split("//", 1)[1].split("/", 1)[0] if first else deployment.server.address


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
