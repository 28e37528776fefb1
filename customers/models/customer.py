"""Customers: the people and companies that pay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.iso_codes import validate_country, validate_currency
from core.models import Timestamped
from customers.choices import Ability, roles_with

if TYPE_CHECKING:
    from customers.models.people import User


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Sets of customers."""

    def visible_to(self, user: User) -> Self:
        """The user's customers. Staff see all or nothing, by permission: a membership gives staff nothing."""
        if user.is_staff:
            return self if user.has_perm("customers.view_customer") else self.none()
        return self.filter(memberships__user=user)

    def where_may(self, user: User, ability: Ability) -> Self:
        """The customers at which the user's role includes `ability`; none for staff, whose rights are permissions."""
        if user.is_staff:
            return self.none()
        return self.filter(memberships__user=user, memberships__role__in=roles_with(ability))


class Customer(Timestamped):  # type: ignore[django-manager-missing]  # the manager of knox has no types
    """A customer: pays, and owns the orders."""

    class Kind(models.TextChoices):
        COMPANY = "company", _("Company")
        PERSON = "person", _("Person")

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        INACTIVE = "inactive", _("Inactive")
        CLOSED = "closed", _("Closed")

    number = models.CharField(_("customer number"), max_length=20, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.COMPANY)
    name = models.CharField(_("name"), max_length=200, help_text=_("The company's name, or the person's full name."))
    email = models.EmailField(_("e-mail"), help_text=_("Receives mail when no contact is chosen for it."))
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    vat_id = models.CharField(
        _("VAT id"), max_length=20, blank=True, help_text=_("With its country, such as NL861234567B84.")
    )
    vat_id_checked_at = models.DateTimeField(_("VAT id checked"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    currency = models.CharField(_("currency"), max_length=3, default="EUR", validators=[validate_currency])
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ACTIVE)
    notes = models.TextField(_("notes"), blank=True, help_text=_("For staff only."))
    anonymised_at = models.DateTimeField(_("anonymised"), null=True, blank=True, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ("name", "pk")
        permissions = (("anonymise_customer", _("Can anonymise customers")),)
        constraints = (
            models.CheckConstraint(condition=~Q(name=""), name="customer_has_a_name"),
            models.CheckConstraint(
                condition=Q(state__in=("active", "inactive", "closed")), name="customer_state_known"
            ),
        )
        indexes = (
            # Read by every list of customers: a page in order, without sorting all of them.
            models.Index(fields=("name", "id"), name="customer_by_name"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def billing_address(self) -> Address | None:
        """Where invoices are addressed to; the general address when none is kept for billing."""
        by_kind = {address.kind: address for address in self.addresses.all()}
        return by_kind.get(Address.Kind.BILLING) or by_kind.get(Address.Kind.GENERAL)


class Address(Timestamped):
    """The general or the billing address of a customer."""

    class Kind(models.TextChoices):
        GENERAL = "general", _("General")
        BILLING = "billing", _("Billing")

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="addresses", verbose_name=_("customer")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.GENERAL)
    street = models.CharField(_("street and number"), max_length=200)
    street2 = models.CharField(_("second line"), max_length=200, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100)
    region = models.CharField(_("region"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, default="NL", validators=[validate_country])

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints = (models.UniqueConstraint(fields=("customer", "kind"), name="one_address_of_a_kind"),)

    def __str__(self) -> str:
        return f"{self.street}, {self.postcode} {self.city}"


class Contact(Timestamped):
    """A person at the customer who receives mail, with or without a login."""

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="contacts", verbose_name=_("customer")
    )
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail"))
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    about_orders = models.BooleanField(_("order e-mails"), default=True)
    about_invoices = models.BooleanField(_("invoice e-mails"), default=False)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = (models.UniqueConstraint(fields=("customer", "email"), name="contact_once_per_customer"),)

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


SYSTEM_NAMES = {"whmcs": "WHMCS"}


class ExternalId(Timestamped):
    """The ID of the customer in another system."""

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="external_ids", verbose_name=_("customer")
    )
    system = models.CharField(_("system"), max_length=40, help_text=_("For example whmcs."))
    value = models.CharField(_("external ID"), max_length=100)

    class Meta:
        verbose_name = _("external ID")
        verbose_name_plural = _("external IDs")
        constraints = (
            models.UniqueConstraint(fields=("system", "value"), name="external_id_names_one_customer"),
            models.UniqueConstraint(fields=("customer", "system"), name="one_external_id_per_system"),
        )

    def __str__(self) -> str:
        return f"{self.system_name} {self.value}"

    @property
    def system_name(self) -> str:
        """As people write it: `system` is a key that somebody types."""
        return SYSTEM_NAMES.get(self.system, self.system)
