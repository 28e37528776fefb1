"""What a libcloud driver wants to be built with, and what its cloud offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from infrastructure.adapters.libcloud.arguments import Argument, arguments_of
from infrastructure.adapters.libcloud.cloud import driver_class, in_our_words
from infrastructure.adapters.libcloud.options import LISTED_BY, network_option
from infrastructure.adapters.libcloud.sizes import is_offered, offer_of
from infrastructure.contracts.cloud import Choice, Offer

MOST_IMAGES = 500
# Amazon lists a hundred thousand images; these are Debian's own: https://wiki.debian.org/Cloud/AmazonEC2Image
DEBIAN_AT_AMAZON = "136693071363"
# libcloud's own price list (libcloud/data/pricing.json) and most clouds' are in US dollars; these charge in euros.
USD = "USD"
OTHER_CURRENCIES = {"gandi": "EUR", "scaleway": "EUR", "upcloud": "EUR"}


def currency_of(name: str) -> str:
    """In which currency the driver called `name` tells prices."""
    return OTHER_CURRENCIES.get(name, USD)


def driver_arguments(name: str) -> Sequence[Argument]:
    """What the driver called `name` can be built with, what it must have first; raises ConfigError if unknown."""
    return arguments_of(name.lower(), driver_class(name))


def read_offer(driver: Any, *, location_id: str = "") -> Offer:
    """What the driver's cloud has, sizes as at the location; a list that its driver cannot give is empty."""
    sizes = [size for size in _listed(driver, driver.list_sizes) if is_offered(size, location_id)]
    return Offer(
        sizes=[offer_of(size) for size in sizes],
        images=_usable(_listed(driver, lambda: driver.list_images(**_image_filter(driver)))),
        locations=[_choice(one) for one in _listed(driver, driver.list_locations)],
        networks=[_choice(one) for one in _networks(driver)],
    )


def _networks(driver: Any) -> list[Any]:
    option = network_option(driver)
    return _listed(driver, getattr(driver, LISTED_BY[option])) if option else []


def _listed(driver: Any, ask: Callable[[], list[Any]]) -> list[Any]:
    with in_our_words(str(driver.name)):
        try:
            return list(ask())
        except NotImplementedError:
            return []


def _image_filter(driver: Any) -> dict[str, str]:
    is_amazon = getattr(driver, "api_name", "") == "ec2" or str(driver.name) == "Amazon EC2"
    return {"ex_owner": DEBIAN_AT_AMAZON} if is_amazon else {}


def _usable(images: Sequence[Any]) -> list[Choice]:
    """The images that user-data can be given to: Debian's, where the names tell."""
    debian = [image for image in images if "debian" in str(image.name).lower()]
    return [_choice(image) for image in (debian or images)[:MOST_IMAGES]]


def _choice(one: Any) -> Choice:
    return Choice(outside_id=str(one.id), name=str(one.name or one.id))
