"""A column for why a check failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import models

from core.outside.check_failure import CheckFailure

if TYPE_CHECKING:
    AnyJSONField = models.JSONField[Any, Any]
else:
    AnyJSONField = models.JSONField


class CheckFailureField(AnyJSONField):
    """A `CheckFailure` as JSON; NULL where nothing failed. It is put into words when it is shown."""

    _pyi_private_set_type: CheckFailure | None
    _pyi_private_get_type: CheckFailure | None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"null": True, "blank": True, "editable": False, **options})

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(value.to_json() if isinstance(value, CheckFailure) else value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> CheckFailure | None:
        return self.to_python(super().from_db_value(value, expression, connection))

    def to_python(self, value: Any) -> CheckFailure | None:
        return CheckFailure.from_json(value) if isinstance(value, Mapping) else value

    def value_to_string(self, obj: models.Model) -> Any:
        value = self.value_from_object(obj)
        return value.to_json() if isinstance(value, CheckFailure) else value
