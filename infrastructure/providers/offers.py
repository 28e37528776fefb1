"""Stores what a provider offers: sizes, images, locations and networks."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.engine.queue import enqueue
from core.errors import OutsideError
from infrastructure.backends import get_offer
from infrastructure.contracts.cloud import Offer, SizeOffer
from infrastructure.models import Provider, ProviderOption


@transaction.atomic
def write_offer(provider: Provider, offer: Offer) -> None:
    """The provider's options are replaced by this offer; prices are monthly."""
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)  # two refreshes at once would both insert
    ProviderOption.objects.filter(provider=provider).delete()
    rows = {("size", size.outside_id): _size_row(provider, size) for size in offer.sizes}
    kind = ProviderOption.Kind
    for of_kind, choices in (
        (kind.IMAGE, offer.images),
        (kind.LOCATION, offer.locations),
        (kind.NETWORK, offer.networks),
    ):
        for choice in choices:
            rows[of_kind.value, choice.outside_id] = ProviderOption(
                provider=provider, kind=of_kind, outside_id=choice.outside_id[:250], name=choice.name[:250]
            )
    ProviderOption.objects.bulk_create(rows.values(), batch_size=500)


def _size_row(provider: Provider, size: SizeOffer) -> ProviderOption:
    return ProviderOption(
        provider=provider,
        kind=ProviderOption.Kind.SIZE,
        outside_id=size.outside_id[:250],
        name=size.name[:250],
        cpus=size.cpus,
        ram_gb=Decimal(str(round(size.ram_gb, 2))),
        disk_gb=size.disk_gb,
        price=None if size.price is None else size.price * provider.periods_per_month,
        currency=provider.currency,
        architecture=size.architecture,
    )


def refresh_all_options() -> int:
    """A worker will refresh the options of every provider that creates servers."""
    made = Provider.objects.filter(is_enabled=True, kind__in=(Provider.Kind.SANDBOX, Provider.Kind.LIBCLOUD))
    pks = list(made.values_list("pk", flat=True))
    for pk in pks:
        ask_offer(pk)
    return len(pks)


def ask_offer(provider_pk: int) -> None:
    """A worker will refresh the provider's options."""
    enqueue("infrastructure.providers.offers.refresh_options", provider_pk, name=f"read offer of {provider_pk}")


def refresh_options(provider_pk: int) -> str:
    """The provider's options are as it offers them now; an error leaves the old ones."""
    provider = Provider.objects.filter(pk=provider_pk).first()
    if provider is None:
        return ""
    try:
        offer = get_offer(provider)
    except OutsideError as error:
        message = _("Failed: %(error)s") % {"error": error}
    else:
        write_offer(provider, offer)
        message = _("%(sizes)s sizes, %(images)s images, %(locations)s locations") % {
            "sizes": len(offer.sizes),
            "images": len(offer.images),
            "locations": len(offer.locations),
        }
    Provider.objects.filter(pk=provider_pk).update(options_state=message[:250], options_read_at=clock.now())
    return message
