"""The arguments of a libcloud driver, and what its cloud offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from infrastructure.adapters.libcloud.arguments import Argument, arguments_of
from infrastructure.adapters.libcloud.cloud import cloud_call, driver_class
from infrastructure.adapters.libcloud.options import LISTED_BY, network_option
from infrastructure.adapters.libcloud.sizes import is_offered, offer_of
from infrastructure.contracts.cloud import Choice, Offer

MAX_IMAGES = 500
# Amazon lists a hundred thousand images; these are Debian's own: https://wiki.debian.org/Cloud/AmazonEC2Image
DEBIAN_AT_AMAZON = "136693071363"
# libcloud's own price list (libcloud/data/pricing.json) and most clouds' are in US dollars; these charge in euros.
USD = "USD"
OTHER_CURRENCIES = {"gandi": "EUR", "scaleway": "EUR", "upcloud": "EUR"}


def currency_of(name: str) -> str:
    """The currency of the prices of the driver called `name`."""
    return OTHER_CURRENCIES.get(name, USD)


def driver_arguments(name: str) -> Sequence[Argument]:
    """The arguments of the driver called `name`, required ones first; raises ConfigError if there is no such driver."""
    return arguments_of(name.lower(), driver_class(name))


def read_offer(driver: Any, *, location_id: str = "") -> Offer:
    """What the cloud offers, with the sizes at the location; lists that the driver cannot fetch are empty."""
    sizes = [size for size in _listed(driver, driver.list_sizes) if is_offered(size, location_id)]
    return Offer(
        sizes=[offer_of(size) for size in sizes],
        images=_usable(_listed(driver, lambda: driver.list_images(**_image_filter(driver)))),
        locations=[_choice(location) for location in _listed(driver, driver.list_locations)],
        networks=[_choice(network) for network in _networks(driver)],
    )


def _networks(driver: Any) -> list[Any]:
    option = network_option(driver)
    return _listed(driver, getattr(driver, LISTED_BY[option])) if option else []


def _listed(driver: Any, fetch: Callable[[], list[Any]]) -> list[Any]:
    with cloud_call(str(driver.name)):
        try:
            return list(fetch())
        except NotImplementedError:
            return []


def _image_filter(driver: Any) -> dict[str, str]:
    is_amazon = getattr(driver, "api_name", "") == "ec2" or str(driver.name) == "Amazon EC2"
    return {"ex_owner": DEBIAN_AT_AMAZON} if is_amazon else {}


def _usable(images: Sequence[Any]) -> list[Choice]:
    """The images that accept our user-data: Debian's, where the names show it."""
    debian = [image for image in images if "debian" in str(image.name).lower()]
    return [_choice(image) for image in (debian or images)[:MAX_IMAGES]]


def _choice(item: Any) -> Choice:
    return Choice(outside_id=str(item.id), name=str(item.name or item.id))
