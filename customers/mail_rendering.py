"""What a mail says: written down as a template with its context, rendered by the worker that sends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise

from core.errors import PermanentError
from customers.models import Message

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMail:
    """The texts of one mail."""

    subject: str
    text: str
    html: str


def pack(value: object) -> Json:
    """`value` as JSON: rows as model and primary key, to be read again for rendering; dataclasses as mappings."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Promise():
            return str(value)
        case Model():
            return {"row": value._meta.label_lower, "pk": value.pk}
        case datetime():
            return {"datetime": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case Decimal():
            return {"decimal": str(value)}
        case Mapping():
            return {"mapping": {str(key): pack(inner) for key, inner in value.items()}}
        case _ if is_dataclass(value):
            return pack({field.name: getattr(value, field.name) for field in fields(value)})
        case Iterable():
            return [pack(inner) for inner in value]
    raise TypeError(f"{type(value).__name__} cannot be kept in the context of a mail")


def unpack(value: Json) -> Any:
    """What was given to `pack`; raises ObjectDoesNotExist when a row is gone."""
    match value:
        case list():
            return [unpack(inner) for inner in value]
        case {"row": label, "pk": pk}:
            return _row_of(apps.get_model(label), pk)
        case {"datetime": text}:
            return datetime.fromisoformat(text)
        case {"date": text}:
            return date.fromisoformat(text)
        case {"decimal": text}:
            return Decimal(text)
        case {"mapping": inner}:
            return {key: unpack(item) for key, item in inner.items()}
    return value


def _row_of(model: type[Model], pk: int) -> Model:
    """The row as it is now, with what its mails name of other rows where its model says which those are."""
    rows: Any = model._default_manager.all()
    row: Model = (rows.with_names() if hasattr(rows, "with_names") else rows).get(pk=pk)
    return row


def render_mail(message: Message) -> RenderedMail:
    """The texts of `message` in its customer's language, or the site's for staff; what was sent stays as it was.

    Raises PermanentError when its template or a row that it is about is gone.
    """
    if message.sent_at or not message.template:
        return RenderedMail(subject=message.subject, text=message.text, html=message.html)
    site = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
    try:
        context = {**site, **unpack({"mapping": message.context}), "customer": message.customer}
        with translation.override(message.customer.language if message.customer else settings.LANGUAGE_CODE):
            return RenderedMail(
                subject=" ".join(render_to_string(f"{message.template}.subject.txt", context).split()),
                text=render_to_string(f"{message.template}.txt", context),
                html=render_to_string(f"{message.template}.html", context),
            )
    except ObjectDoesNotExist as error:
        raise PermanentError(f"The mail is about something that no longer exists: {error}") from error
    except (TemplateDoesNotExist, TemplateSyntaxError) as error:
        raise PermanentError(f"The template {message.template} cannot be used: {error}") from error
