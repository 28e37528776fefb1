"""Staff in the admin, by what they may do."""

from __future__ import annotations

from django.test import Client

from tests.api.conftest import make_staff

READ = tuple(
    f"billing.view_{model}"
    for model in ("invoice", "invoicepdf", "subscription", "payment", "banktransaction", "billingrun", "whmcsinvoice")
)
BOOKKEEPER = (
    *READ,
    "billing.settle_invoice",
    "billing.credit_invoice",
    "billing.import_bankstatement",
    "billing.start_billingrun",
    "billing.change_billingprofile",
)


def signed_in(*permissions: str) -> Client:
    """Somebody with these permissions."""
    client = Client()
    client.force_login(make_staff(*permissions))
    return client


def bookkeeper() -> Client:
    """Somebody with the billing role."""
    return signed_in(*BOOKKEEPER)


def reader() -> Client:
    """Somebody who may look and nothing else."""
    return signed_in(*READ)
