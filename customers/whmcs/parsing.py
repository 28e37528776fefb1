"""Values as WHMCS writes them, read tolerantly: ids, lists, money, dates, flattened keys, secrets. Pure.

The documentation contradicts itself (https://developers.whmcs.com/api-reference/): an id is a number in one answer and
a string in the next, an empty list is an empty string, and some examples have their keys flattened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

REDACTED = "[redacted]"
SECRET_KEYS = frozenset(
    {
        *("password", "password2", "servicepassword", "serverpassword", "serveraccesshash"),
        *("identifier", "secret", "accesskey", "securityqans", "cardnum", "cvv", "bankacct"),
    }
)
FLAT_KEY = re.compile(r"(?P<first>[^\[\]]+)(?P<rest>(?:\[[^\[\]]*\])+)")


def read_id(value: object) -> int | None:
    """A positive number, whether it came as one or as text; None for `0`, nothing, or anything else."""
    try:
        number = int(str(value).strip())
    except ValueError:
        return None
    return number if number > 0 else None


def read_text(value: object) -> str:
    """Text without surrounding space; nothing, a list or an object is no text."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def read_bool(value: object) -> bool:
    """True for the many ways in which WHMCS says so."""
    return value is True or str(value).strip().lower() in ("1", "true", "on", "yes")


def read_money(value: object) -> Decimal | None:
    """An amount; None for a billing cycle that is not offered (`-1.00`) and for what is no amount."""
    try:
        amount = Decimal(read_text(value).replace(",", ""))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def read_date(value: object) -> date | None:
    """A day; None for `0000-00-00` and for what is no date."""
    try:
        return datetime.strptime(read_text(value)[:10], "%Y-%m-%d").date()  # noqa: DTZ007  (a day has no zone)
    except ValueError:
        return None


def read_list(answer: Mapping[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    """The items of a list wrapped twice (`clients.client[]`), once, as a single item, or not there at all."""
    value: Any = answer.get(outer)
    if isinstance(value, Mapping) and inner in value:
        value = value[inner]
    if isinstance(value, Mapping):
        items = list(value.values())
        value = items if items and all(isinstance(item, Mapping) for item in items) else [value]
    return [dict(item) for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def unflatten(answer: Mapping[str, Any]) -> dict[str, Any]:
    """`queue[0][id]` is moved to where it belongs; an answer without such keys is returned as it came."""
    if not any("[" in key for key in answer):
        return dict(answer)
    tree: dict[str, Any] = {}
    for key, value in answer.items():
        found = FLAT_KEY.fullmatch(key)
        path = [found["first"], *re.findall(r"\[([^\[\]]*)\]", found["rest"])] if found else [key]
        branch = tree
        for step in path[:-1]:
            branch = branch.setdefault(step, {})
            if not isinstance(branch, dict):
                break
        else:
            branch[path[-1]] = value
    return {key: _as_lists(value) for key, value in tree.items()}


def redact(value: Any) -> Any:
    """The same without passwords, keys and card numbers, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: REDACTED if str(key).lower() in SECRET_KEYS and item else redact(item) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    return value


def _as_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _as_lists(item) for key, item in value.items()}
    if items and all(key.isdigit() for key in items):
        return [items[key] for key in sorted(items, key=int)]
    return items
