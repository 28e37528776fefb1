"""What a change of an order would do, before it is requested. From rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from core.money import Money
from core.text.units import cpu_words
from orders.models import Order
from orders.terms import Terms, offered
from products.models import Plan, Release
from products.release_diff import DiffKind, DiffLine, DiffSection, ReleaseContent, compare_releases, compare_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePreview:
    """What would change, and what stays."""

    sections: tuple[DiffSection, ...]
    price_note: str = ""

    @property
    def is_empty(self) -> bool:
        """True when nothing that runs would differ."""
        return not self.sections


def preview_release(order: Order, release: Release) -> ChangePreview:
    """The order on `release` compared with what it runs; the agreed price stays."""
    sections = compare_releases(_content(order.release), _content(release))
    sections += _offer_section(order, release)
    price, period = _formatted(order.terms.money), order.terms.get_period_display()
    note = _("The agreed price of this order stays %(price)s per %(period)s.") % {"price": price, "period": period}
    return ChangePreview(sections=tuple(sections), price_note="" if order.is_sandbox else note)


def preview_plan(order: Order, plan: Plan) -> ChangePreview:
    """The order in `plan` compared with its present size and terms."""
    size = DiffSection(key="size", title=gettext_lazy("Size"), lines=compare_texts(_size(order.plan), _size(plan)))
    terms = compare_texts(_terms(order.terms), _terms(offered(plan)))
    price = DiffSection(
        key="price",
        title=gettext_lazy("Price"),
        lines=terms,
        note=gettext_lazy("Charged by day: what is paid already for the present plan is taken into account."),
    )
    return ChangePreview(sections=tuple(section for section in (size, price) if section.lines))


def _content(release: Release) -> ReleaseContent:
    return ReleaseContent(compose=release.compose, manifest=release.manifest)


def _offer_section(order: Order, release: Release) -> list[DiffSection]:
    """What new orders of the plan pay by `release`, where that is not what this order pays."""
    spec = next((plan for plan in release.manifest.get("plans", ()) if plan["slug"] == order.plan.slug), None)
    if spec is None or order.is_sandbox:
        return []
    money = Money(order.terms.money.amount, order.terms.currency)
    offer = Money(type(money.amount)(str(spec["price"])), str(spec["currency"]))
    if offer == money:
        return []
    line = DiffLine(kind=DiffKind.CHANGED, name=order.plan.name, before=_formatted(money), after=_formatted(offer))
    note = gettext_lazy("What new orders of this plan pay. This order keeps its agreed price.")
    return [DiffSection(key="price", title=gettext_lazy("Price of the plan"), lines=(line,), note=note)]


def _size(plan: Plan) -> dict[str, str]:
    return {
        _("CPUs"): cpu_words(plan.cpus),
        _("Memory"): f"{plan.ram_gb} GB",
        _("Disk"): f"{plan.disk_gb} GB",
    }


def _terms(terms: Terms) -> dict[str, str]:
    texts: dict[str, Any] = {
        _("Price"): f"{_formatted(terms.money)} / {terms.get_period_display()}",
        _("Promised availability"): f"{terms.promise} %" if terms.promise is not None else _("none"),
    }
    return texts


def _formatted(money: Money) -> str:
    return money.format(get_language() or "en")
