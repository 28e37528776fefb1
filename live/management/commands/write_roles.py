"""`manage.py write_roles`: the roles of staff are as written here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

ROOMS = ("customers", "products", "orders", "infrastructure", "sandbox", "monitoring", "billing", "live")
# `app.codename`; `app.view` stands for seeing everything of that room.
SEE = tuple(f"{room}.view" for room in ROOMS)
# Who may say who belongs to a customer decides who may use what it has: that is for operators.
ADMIT_PEOPLE = tuple(f"customers.{verb}_membership" for verb in ("add", "change", "delete"))
KEEP_CUSTOMERS = tuple(
    f"customers.{verb}_{model}"
    for model in ("customer", "address", "contact", "externalid")
    for verb in ("add", "change", "delete")
    if (verb, model) != ("delete", "customer")
)
OPERATOR = (
    *SEE,
    *KEEP_CUSTOMERS,
    *ADMIT_PEOPLE,
    *(f"customers.{verb}_webhook" for verb in ("add", "change", "delete")),
    "customers.sync_whmcs",
    "customers.view_as_member",
    "orders.serve_whmcs",
    "orders.add_order",
    "orders.approve_order",
    "orders.steer_order",
    "orders.steer_fleetupgrade",
    "orders.remove_order",
    "orders.reveal_secrets",
    "infrastructure.add_provider",
    "infrastructure.change_provider",
    "infrastructure.add_plansize",
    "infrastructure.change_plansize",
    "infrastructure.delete_plansize",
    "infrastructure.add_host",
    "infrastructure.change_host",
    "infrastructure.add_serverkeys",
    "infrastructure.change_serverkeys",
    "infrastructure.resolve_driftfinding",
    "infrastructure.destroy_orphan",
    "infrastructure.write_off_host",
    "infrastructure.power_server",
    "infrastructure.resize_server",
    "monitoring.add_incident",
    "monitoring.add_incidentupdate",
    "monitoring.add_maintenance",
    "monitoring.add_statuspage",
    "monitoring.change_incident",
    "sandbox.change_sandboxswitches",
    "customers.add_user",
    "customers.change_user",
    "customers.change_message",
    "products.sync_catalogue",
    "products.sell_product",
    "django_q.view",
)
KEEP_TERMS_OF_BILLING = tuple(
    f"billing.{verb}_{model}"
    for model in ("billingprofile", "locationevidence", "mandate", "vatrate", "exchangerate", "reminderstep")
    for verb in ("add", "change")
)
BILLING = (
    *SEE,
    *KEEP_CUSTOMERS,
    *KEEP_TERMS_OF_BILLING,
    "billing.settle_invoice",
    "billing.credit_invoice",
    "billing.import_bankstatement",
    "billing.start_billingrun",
    "monitoring.decide_credit",
)
# Secrets are shown by orders.reveal_secrets, one click at a time.
NOT_SEEN = ("view_ordersecrets", "view_secretscanary")
ROLES: Mapping[str, tuple[str, ...]] = {
    "Operator": OPERATOR,
    "Billing": BILLING,
    "Support": (*SEE, "customers.view_as_member"),
    "Administrator": (
        *(f"{room}.*" for room in ROOMS),
        *("auth.*", "mfa.*", "account.view", "usersessions.view", "django_q.view"),
    ),
}


class Command(BaseCommand):
    """Groups Operator, Billing, Support and Administrator, with exactly these permissions; safe to repeat."""

    help = __doc__

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """The roles are written; who is in them stays as it was."""
        for name, asked in ROLES.items():
            group, _ = Group.objects.get_or_create(name=name)
            group.permissions.set(permissions(asked))
            if options["verbosity"] > 0:
                self.stdout.write(f"{name}: {group.permissions.count()} permissions")


def permissions(asked: Iterable[str]) -> set[Permission]:
    """The rows that `asked` names; raises CommandError for a name that does not exist."""
    permissions_by_app: dict[str, dict[str, Permission]] = {}
    for row in Permission.objects.select_related("content_type"):
        permissions_by_app.setdefault(row.content_type.app_label, {})[row.codename] = row
    present = {config.label for config in apps.get_app_configs()}
    found: set[Permission] = set()
    for app, codename in (name.split(".") for name in asked):
        if app in present:
            found |= _named(permissions_by_app.get(app, {}), app, codename)
    return found


def _named(permissions_by_app: Mapping[str, Permission], app: str, codename: str) -> set[Permission]:
    if codename == "*":
        return set(permissions_by_app.values())
    if codename == "view":
        return {row for name, row in permissions_by_app.items() if name.startswith("view_") and name not in NOT_SEEN}
    if codename not in permissions_by_app:
        raise CommandError(f"There is no permission {app}.{codename}")
    return {permissions_by_app[codename]}
