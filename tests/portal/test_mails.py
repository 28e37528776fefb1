"""What customers are told by mail."""

from __future__ import annotations

import pytest
from django.utils.html import strip_tags

from customers.models import Message
from customers.services import write_message
from tests.factories import make_draft

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("news", ["pending", "active", "suspended", "resumed", "removed"])
@pytest.mark.parametrize("sandbox", [False, True])
def test_every_mail_names_the_order_and_leads_to_it(news: str, sandbox: bool) -> None:
    order = make_draft(name="Dikes & <ditches>", sandbox=sandbox)
    message: Message = write_message(
        key=f"test:{news}", customer=order.customer, template=f"orders/mail/{news}", context={"order": order}
    )
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
