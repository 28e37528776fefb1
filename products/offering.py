"""What a product says and offers, as one of its releases has it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from products.models import Plan, Product, Release

TEXTS = ("name", "summary", "description", "icon")
PLAN_COLUMNS = ("name", "price", "setup_fee", "currency", "period", "placement", "auto_approve")


def present_release(product: Product, release: Release) -> None:
    """The product says and offers what `release` says; a product goes on sale by itself only the first time."""
    if product.present_release_id is None:
        product.state = Product.State.ON_SALE
    product.present_release = release
    for name in TEXTS:
        setattr(product, name, release.manifest.get(name, ""))
    product.translations = _texts(release.manifest)
    names = _plan_names(release.manifest)
    offered = [_offer(product, plan, names.get(plan["slug"], {})) for plan in release.manifest["plans"]]
    withdrawn = product.plans.exclude(pk__in=offered).exclude(state=Plan.State.RETIRED)
    if withdrawn.exists():
        withdrawn.update(state=Plan.State.RETIRED)


def plans_of(release: Release) -> list[Plan]:
    """The plans as `release` offers them, not stored: a later release may have changed their prices."""
    specs, names = release.manifest.get("plans", ()), _plan_names(release.manifest)
    return [
        Plan(product=release.product, slug=spec["slug"], names=names.get(spec["slug"], {}), **plan_columns(spec))
        for spec in specs
    ]


def plan_columns(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A plan of a manifest as the columns of a row."""
    columns: dict[str, Any] = {name: spec[name] for name in PLAN_COLUMNS}
    columns |= {name: Decimal(spec[name]) for name in ("price", "setup_fee")}
    columns |= {name: spec["size"][name] for name in ("cpus", "ram_gb", "disk_gb")}
    promised = spec.get("sla", {})
    columns["sla_promise"] = Decimal(promised["promise"]) if promised else None
    columns["sla_credit"] = Decimal(promised.get("credit", "0"))
    return columns | {"grace_minutes": spec.get("grace_minutes"), "state": Plan.State.OFFERED}


def _texts(manifest: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The product's own texts by language."""
    return {
        language: {name: texts[name] for name in TEXTS if name in texts}
        for language, texts in manifest.get("translations", {}).items()
    }


def _plan_names(manifest: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """By plan, its name by language."""
    names: dict[str, dict[str, str]] = {}
    for language, texts in manifest.get("translations", {}).items():
        for slug, name in texts.get("plans", {}).items():
            names.setdefault(slug, {})[language] = name
    return names


def _offer(product: Product, spec: Mapping[str, Any], names: Mapping[str, str]) -> int:
    columns = {**plan_columns(spec), "names": dict(names)}
    existing = Plan.objects.filter(product=product, slug=spec["slug"]).first()
    if existing and all(getattr(existing, name) == value for name, value in columns.items()):
        return existing.pk
    plan, _made = Plan.objects.update_or_create(product=product, slug=spec["slug"], defaults=columns)
    return plan.pk
