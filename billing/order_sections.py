"""What this room shows of an order on the order's page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import Invoice, Subscription
from orders.models import Order
from orders.sections import PartRow, Section, Sections
from orders.words import Part


class BillingSections(Sections):
    """What an order costs, and what is owed for it."""

    name: ClassVar[str] = "billing"

    def part_rows(self, order: Order) -> Iterable[PartRow]:
        """The subscription, which has no controller of its own."""
        subscription = Subscription.objects.filter(order=order).first()
        if subscription is not None:
            yield PartRow(
                part=Part.SUBSCRIPTION,
                name=subscription.get_state_display(),
                url=reverse("admin:billing_subscription_change", args=(subscription.pk,)),
                attempts=0,
                next_attempt_at=None,
                last_error="",
            )

    def sections(self, order: Order) -> Iterable[Section]:
        """Its newest invoices."""
        invoices = list(Invoice.objects.filter(order=order).order_by("-pk")[:12])
        if invoices:
            yield Section(title=_("Invoices"), template="admin/billing/_invoices.html", values={"invoices": invoices})

    def would_destroy(self, order: Order) -> Iterable[str]:
        """What ends, and what does not."""
        if not Subscription.objects.filter(order=order, state=Subscription.State.ACTIVE).exists():
            return
        count = Invoice.objects.owed().filter(order=order).count()
        words = ngettext("%(count)d open invoice stays owed", "%(count)d open invoices stay owed", count)
        owed = f"; {words % {'count': count}}" if count else ""
        yield _("Its subscription ends%(owed)s.") % {"owed": owed}
