"""How staff see plans: as the catalogue offers them."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from core.admin.read_only_rows import MachineOwned
from core.money import Money
from products.models import Plan

STATES = {Plan.State.OFFERED: "success", Plan.State.RETIRED: ""}


class PlanColumns:
    """Mixed into whatever shows plans."""

    @display(description=_("price"), ordering="price")
    def shown_price(self, plan: Plan) -> str:
        """The price with its currency and period."""
        return f"{plan.money} / {plan.get_period_display()}"

    @display(description=_("set-up fee"), ordering="setup_fee")
    def shown_fee(self, plan: Plan) -> str:
        """The fee with its currency."""
        return str(Money(plan.setup_fee, plan.currency))

    @display(description=_("state"), ordering="state", label=STATES)
    def shown_state(self, plan: Plan) -> tuple[str, str]:
        """The state in a colour."""
        return plan.state, plan.get_state_display()


@admin.register(Plan)
class PlanAdmin(MachineOwned, PlanColumns, ModelAdmin):
    """Plans are read here; the catalogue changes them."""

    list_display = (
        *("name", "product", "shown_price", "shown_fee", "placement", "cpus", "ram_gb", "disk_gb"),
        *("auto_approve", "shown_state"),
    )
    list_filter = ("state", "placement", "period", "auto_approve", ("product", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("product",)
    search_fields = ("name", "slug", "product__name", "product__slug")
    fields = (
        *("product", "slug", "name", "shown_price", "shown_fee", "placement", "cpus", "ram_gb", "disk_gb"),
        *("auto_approve", "sla_promise", "sla_credit", "grace_minutes", "state", "created_at", "updated_at"),
    )
    readonly_fields = fields
