"""A database of the version before the renames is migrated with its rows, and every row is found again."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations import RenameModel
from django.utils import timezone

from core.fields import EncryptedJSONField
from orders.models import Order, OrderPart

pytestmark = pytest.mark.django_db(transaction=True)

# The last migrations of that version, by app.
BEFORE = [
    ("lib", "0001_stored_reply"),
    ("customers", "0004_by_name"),
    ("products", "0006_grace"),
    ("orders", "0007_the_database_fills_new_columns"),
    ("infrastructure", "0012_looks_have_a_lease"),
    ("sandbox", "0002_servers_rest_and_reboot"),
    ("monitoring", "0011_incidents_by_hand"),
    ("billing", "0003_agreed_prices"),
]
VERBS = ("add", "change", "delete", "view")
OURS = tuple(app for app, _name in BEFORE)
NOW = timezone.now().replace(microsecond=0)
# What the database or its constraints want besides.
BESIDES: dict[str, dict[str, Any]] = {
    "billing.Subscription": {"next_invoice_on": NOW.date()},
    "billing.Invoice": {"period_start": datetime.date(2026, 5, 1), "period_end": datetime.date(2026, 6, 1)},
    "infrastructure.Errand": {"next_attempt_at": NOW},
}
# Permissions that are not named after a model.
RENAMED_PERMISSIONS = {
    "products.read_catalogue": "products.sync_catalogue",
    "infrastructure.settle_finding": "infrastructure.resolve_driftfinding",
}


def value_for(field: Any, rows: dict[str, Any]) -> Any:
    """A valid value of a field that has no default."""
    if field.is_relation:
        return rows[field.related_model._meta.label]
    if field.choices:
        return field.choices[0][0]
    text = f"{field.name}-1"[: field.max_length or 40]
    examples: tuple[tuple[Any, Any], ...] = (
        (EncryptedJSONField, {"key": "secret"}),
        (models.JSONField, {}),
        (models.EmailField, "a@example.org"),
        (models.URLField, "https://example.org/"),
        (models.UUIDField, uuid.UUID(int=1)),
        (models.BooleanField, True),
        (models.DecimalField, Decimal("1.00")),
        (models.DateTimeField, NOW),
        (models.DateField, NOW.date()),
        (models.DurationField, datetime.timedelta(minutes=1)),
        (models.GenericIPAddressField, "198.51.100.1"),
        (models.BinaryField, b"x"),
        (models.FloatField, 1.0),
        (models.IntegerField, 1),
        (models.CharField, text),
        (models.TextField, text),
    )
    return next(example for kind, example in examples if isinstance(field, kind))


def fill(model: Any, rows: dict[str, Any]) -> Any:
    """One row of `model` with what it cannot be without."""
    values = {}
    for field in model._meta.local_concrete_fields:
        if field.primary_key and isinstance(field, models.AutoField):
            continue
        wanted = field.has_default() or field.null or getattr(field, "auto_now", False)
        wanted = wanted or getattr(field, "auto_now_add", False)
        if not wanted and not (field.blank and field.empty_strings_allowed):
            values[field.name] = value_for(field, rows)
    return model._default_manager.create(**(values | BESIDES.get(model._meta.label, {})))


def fillable(before: Any) -> Iterator[Any]:
    """Every model of ours, each after those that it points at."""
    waiting = [model for model in before.get_models() if model._meta.app_label in OURS and model._meta.managed]
    done: set[str] = set()
    while waiting:
        ready = [
            model
            for model in waiting
            if all(
                field.null or field.related_model._meta.label in done or field.related_model is model
                for field in model._meta.local_concrete_fields
                if field.is_relation
            )
        ]
        assert ready, f"these point at each other: {waiting}"
        yield from ready
        done |= {model._meta.label for model in ready}
        waiting = [model for model in waiting if model not in ready]


def renames(executor: MigrationExecutor) -> dict[str, str]:
    """What each model that was renamed since is called now, by label in small letters."""
    names: dict[str, str] = {}
    for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        for operation in migration.operations:
            if isinstance(operation, RenameModel):
                old = f"{migration.app_label}.{operation.old_name_lower}"
                former = next((first for first, last in names.items() if last == old), old)
                names[former] = f"{migration.app_label}.{operation.new_name_lower}"
    return names


@pytest.fixture
def executor() -> Iterator[MigrationExecutor]:
    """Migrations from the version before; afterwards the database is whole again."""
    yield MigrationExecutor(connection)
    call_command("migrate", verbosity=0)


def test_every_row_of_the_version_before_is_found(executor: MigrationExecutor) -> None:
    executor.migrate(BEFORE)
    before = executor.loader.project_state(BEFORE).apps
    rows: dict[str, Any] = {}
    for model in fillable(before):
        rows[model._meta.label] = fill(model, rows)
    part = rows["orders.OrderPart"]
    type(part).objects.filter(pk=part.pk).update(state="resting", told="Soon.", message="HTTP 503")
    type(rows["orders.Order"]).objects.update(needs_person=True)
    granted = grant_everything(before)

    executor = MigrationExecutor(connection)
    names = renames(executor)
    executor.migrate(executor.loader.graph.leaf_nodes())

    for label in (row._meta.label_lower for row in rows.values()):
        model = apps.get_model(names.get(label, label))
        assert model._base_manager.exists(), f"{label} has lost its row"
    stored = OrderPart.objects.get()
    assert (stored.state, stored.customer_message, stored.message) == ("maintenance", "Soon.", "HTTP 503")
    assert Order.objects.get().needs_attention
    assert {renamed(permission, names) for permission in granted} <= kept_permissions()


def renamed(permission: str, names: dict[str, str]) -> str:
    """What a permission of the former version is called now."""
    app, codename = permission.split(".")
    verb, _underline, model = codename.partition("_")
    if (label := names.get(f"{app}.{model}")) is not None and verb in VERBS:
        return f"{app}.{verb}_{label.partition('.')[2]}"
    return RENAMED_PERMISSIONS.get(permission, permission)


def grant_everything(before: Any) -> set[str]:
    """A role holds every permission that the former version had; returns their names."""
    kinds, permissions = before.get_model("contenttypes", "ContentType"), before.get_model("auth", "Permission")
    permissions.objects.all().delete()
    kinds.objects.filter(app_label__in=OURS).delete()
    group = before.get_model("auth", "Group").objects.create(name="Everything")
    names = set()
    for model in before.get_models():
        if model._meta.app_label not in OURS:
            continue
        kind = kinds.objects.create(app_label=model._meta.app_label, model=model._meta.model_name)
        codenames = [f"{verb}_{model._meta.model_name}" for verb in VERBS]
        for codename in [*codenames, *(codename for codename, _name in model._meta.permissions)]:
            group.permissions.add(permissions.objects.create(content_type=kind, codename=codename, name=codename))
            names.add(f"{model._meta.app_label}.{codename}")
    return names


def kept_permissions() -> set[str]:
    """What the role holds now."""
    held = Group.objects.get(name="Everything").permissions.select_related("content_type")
    return {f"{permission.content_type.app_label}.{permission.codename}" for permission in held}
