"""Seals every stored secret with the newest key, so that an older one can be dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F, Model, TextField, Value
from django.db.models.functions import Cast

from core.fields import EncryptedJSONField, decrypt, encrypt, is_sealed_with_newest_key

CHUNK = 500


@dataclass(slots=True)
class ResealResult:
    """How many values were sealed anew, were up to date, and did not open (by table)."""

    resealed: int = 0
    current: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)


def reseal_all() -> ResealResult:
    """Every sealed value that opens is sealed with the newest key.

    Works while the site runs: a value that changed meanwhile is left alone, for it is sealed with the newest key.
    """
    result = ResealResult()
    for model, column in sealed_columns():
        _reseal_column(model, column, result)
    _reseal_column(Session, "session_data", result)
    _reseal_authenticators(result)
    return result


def sealed_columns() -> Iterator[tuple[type[Model], str]]:
    """The encrypted fields of every installed model."""
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if isinstance(column, EncryptedJSONField):
                yield model, column.attname


def _reseal_column(model: type[Model], column: str, result: ResealResult) -> None:
    rows = model._default_manager.annotate(raw=Cast(F(column), TextField())).exclude(raw=None).order_by("pk")
    for pk, raw in rows.values_list("pk", "raw").iterator(chunk_size=CHUNK):
        resealed = _counted(raw, model, result)
        if resealed is not None:
            same = model._default_manager.annotate(raw=Cast(F(column), TextField())).filter(pk=pk, raw=raw)
            target = model._meta.get_field(column)
            same.update(**{column: Cast(_text(resealed), target)})  # type: ignore[arg-type]  # a column, not a relation


def _text(sealed: str) -> Any:
    """`sealed` as an expression, so that the field does not seal it once more."""
    return Value(sealed, output_field=TextField())


def _counted(raw: str, model: type[Model], result: ResealResult) -> str | None:
    if is_sealed_with_newest_key(raw):
        result.current += 1
        return None
    try:
        resealed = encrypt(decrypt(raw))
    except ImproperlyConfigured:
        table = model._meta.db_table
        result.unreadable[table] = result.unreadable.get(table, 0) + 1
        return None
    result.resealed += 1
    return resealed


def _reseal_authenticators(result: ResealResult) -> None:
    """Secrets of authenticator apps and recovery codes, which allauth keeps inside a JSON value."""
    for row in Authenticator.objects.order_by("pk").iterator(chunk_size=CHUNK):
        data = _resealed_data(row.data, lambda raw: _counted(raw, Authenticator, result))
        if data != row.data:
            Authenticator.objects.filter(pk=row.pk, data=row.data).update(data=data)


def _resealed_data(data: dict[str, Any], reseal: Callable[[str], str | None]) -> dict[str, Any]:
    changed = dict(data)
    for name in ("secret", "seed"):
        if name in data:
            changed[name] = reseal(data[name]) or data[name]
    if "migrated_codes" in data:
        changed["migrated_codes"] = [reseal(code) or code for code in data["migrated_codes"]]
    return changed
