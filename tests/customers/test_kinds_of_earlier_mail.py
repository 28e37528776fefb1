"""Mail from before there were kinds."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from customers.models import Message
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

fill_kinds = import_module("customers.migrations.0021_kinds_of_earlier_mail").fill_kinds


def test_earlier_mail_gets_the_kind_of_its_template_and_mail_to_staff_none() -> None:
    customer = CustomerFactory()
    for number, (template, owner) in enumerate(
        (("orders/mail/removed", customer), ("billing/mail/credit_note", customer), ("live/mail/alerts", None))
    ):
        Message.objects.create(key=str(number), to=["a@example.org"], template=template, customer=owner)
    fill_kinds(apps, None)
    assert list(Message.objects.order_by("pk").values_list("kind", flat=True)) == ["removal", "invoice", ""]
