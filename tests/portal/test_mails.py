"""What customers are told by mail."""

from __future__ import annotations

import pytest
from django.utils.html import strip_tags

from customers.choices import MailKind
from customers.mail_rendering import render_mail
from customers.models import Message
from customers.services import write_message
from tests.factories import make_draft

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("mail", ["pending", "approved", "started", "active", "suspended", "resumed", "removed"])
@pytest.mark.parametrize("sandbox", [False, True])
def test_every_mail_names_the_order_and_leads_to_it(mail: str, sandbox: bool) -> None:
    order = make_draft(name="Dikes & <ditches>", sandbox=sandbox)
    row = write_message(
        key=f"test:{mail}",
        customer=order.customer,
        kind=MailKind.ACTIVE,
        template=f"orders/mail/{mail}",
        context={"order": order},
    )
    assert row is not None
    message = render_mail(Message.objects.get(pk=row.pk))
    address = f"http://testserver/orders/{order.reference}/"
    assert "Dikes & <ditches>" in message.subject
    assert "\n" not in message.subject
    assert "Dikes & <ditches>" in message.text
    assert "Dikes &amp; &lt;ditches&gt;" in message.html
    assert address in message.text
    assert f'href="{address}"' in message.html
    for body in (message.subject, message.text, strip_tags(message.html)):
        assert ("Sandbox" in body) == sandbox
        assert "{%" not in body
        assert "None" not in body
