"""The invented company, customer and people of the demonstration; written once, found again."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction

from customers.choices import Role
from customers.models import Address, Contact, Customer, User
from customers.services import admit_user, register_customer
from infrastructure.models import Provider
from infrastructure.sandbox.models import SandboxSwitches

STAFF_NAME = "admin"
STAFF_PASSWORD = "live-demo-admin"  # noqa: S105  (printed on the demo's screen; the demo listens on loopback only)
CUSTOMER_EMAIL = "jan@waterschap.example"
VIEWER_EMAIL = "els@waterschap.example"


# Who sells, unless the environment says so itself: an invoice without a seller would be a poor show.
SELLER = {
    "SELLER_NAME": "Kaartwerk Hosting B.V.",
    "SELLER_STREET": "Nieuwe Kazernelaan 2",
    "SELLER_POSTAL_CODE": "6711 JC",
    "SELLER_CITY": "Ede",
    "SELLER_VAT_ID": "NL861234567B84",
    "SELLER_COMPANY_NUMBER": "12345678",
    "SELLER_EMAIL": "invoices@kaartwerk.example",
    "SELLER_IBAN": "NL91ABNA0417164300",
}


# What the demonstration does not ask of the world outside: its VAT ids are invented.
QUIET = {"VIES_URL": ""}


def whmcs_settings(port: int) -> dict[str, str]:
    """The settings for the simulated WHMCS of the demonstration, and its credential."""
    return {
        "WHMCS_URL": f"http://127.0.0.1:{port}/whmcs",
        "WHMCS_IDENTIFIER": "simulated-identifier",
        "WHMCS_SECRET": "simulated-secret",
        "WHMCS_WEBHOOK_SECRET": "simulated-webhook-secret-0123456789",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays."""

    customer: Customer
    staff: User


@transaction.atomic
def assemble() -> Cast:
    """The cast is there, whether or not it was before."""
    _sandbox()
    return Cast(customer=_customer(), staff=_staff())


def _sandbox() -> None:
    provider, _ = Provider.objects.get_or_create(
        slug="sandbox", defaults={"name": "Sandbox", "kind": Provider.Kind.SANDBOX, "rank": 1}
    )
    SandboxSwitches.objects.get_or_create(provider=provider)


def _staff() -> User:
    staff, is_new = User.objects.get_or_create(
        username=STAFF_NAME,
        defaults={"email": "admin@live.example", "is_staff": True, "is_superuser": True, "first_name": "Ada"},
    )
    if is_new:
        staff.set_password(STAFF_PASSWORD)
        staff.save()
        staff.groups.add(*Group.objects.filter(name="Administrator"))
    return staff


def _customer() -> Customer:
    customer = Customer.objects.filter(email="gis@waterschap.example").first()
    if customer is None:
        customer = register_customer(
            name="Waterschap Voorbeeld", email="gis@waterschap.example", vat_id="NL861234567B84"
        )
        Address.objects.create(
            customer=customer, street="Dijkgraaf 1", postcode="6708 PW", city="Wageningen", country="NL"
        )
        Contact.objects.create(customer=customer, name="Jan de Vries", email=CUSTOMER_EMAIL, about_invoices=True)
        admit_user(customer=customer, email=CUSTOMER_EMAIL, name="Jan de Vries")
        admit_user(customer=customer, email=VIEWER_EMAIL, name="Els Jansen", role=Role.READ_ONLY)
    return customer
