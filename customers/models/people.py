"""People who sign in."""

from __future__ import annotations

import zoneinfo

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from customers.choices import ABILITIES, Ability, Role
from customers.models.customer import Customer


def time_zone_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """The IANA names that a viewer can choose from, under the name of their region, each by its city."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        region, slash, city = name.partition("/")
        if slash:
            regions.setdefault(region, []).append((name, city.replace("_", " ").replace("/", ", ")))
    return list(regions.items())


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox's manager has no types
    """A person who signs in: staff in the admin, customers in the portal."""

    email = models.EmailField(_("e-mail"))
    time_zone = models.CharField(
        _("time zone"), max_length=60, blank=True, help_text=_("Times are shown in this zone.")
    )
    language = models.CharField(
        _("language"), max_length=10, blank=True, help_text=_("Pages are shown in this language.")
    )

    notifications_read_at = models.DateTimeField(_("notifications read"), null=True, blank=True, editable=False)

    class Meta(AbstractUser.Meta):
        permissions = (("appoint_staff", _("Can change staff's accounts and roles")),)
        constraints = (
            models.UniqueConstraint(Lower("email"), name="one_user_per_email", condition=~models.Q(email="")),
        )

    def __str__(self) -> str:
        return self.get_full_name() or self.email or self.username

    def abilities_at(self, customer: Customer) -> frozenset[Ability]:
        """What the role at `customer` includes; nothing for staff, whose rights are permissions. One query."""
        if self.is_staff:
            return frozenset()
        role = self.memberships.filter(customer=customer).values_list("role", flat=True).first()
        return ABILITIES[Role(role)] if role else frozenset()

    def may(self, ability: Ability, customer: Customer) -> bool:
        """True when the role at `customer` includes `ability`."""
        return ability in self.abilities_at(customer)


class Membership(Timestamped):
    """A user sees what a customer has; the role says what else. It gives staff nothing while they are staff."""

    Role = Role

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("user"))
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("customer")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.OWNER)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        permissions = (("admit_staff", _("Can make oneself and other staff members of a customer")),)
        constraints = (models.UniqueConstraint(fields=("user", "customer"), name="member_once"),)

    def __str__(self) -> str:
        return f"{self.user} · {self.customer}"
