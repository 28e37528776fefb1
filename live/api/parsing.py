"""How bodies are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import JSONParser

from core.text.plain_text import plain_text_message, unfit_paths


class BoundedJSONParser(JSONParser):
    """JSON as it comes; what is nested too deeply to be read is the caller's mistake, not ours."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body's value; raises ParseError for bad or too deep JSON, ValidationError for control characters."""
        try:
            body = super().parse(stream, media_type, parser_context)
            unfit = dict.fromkeys(unfit_paths(body))
        except RecursionError as error:
            raise ParseError(_("The body is nested too deeply.")) from error
        if unfit:
            raise ValidationError({name or "non_field_errors": [plain_text_message()] for name in unfit})
        return body
