"""Where a mail about an account asks people to write to us, it says to which address."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from customers.models import User
from live.accounts.adapters import AccountAdapter

pytestmark = pytest.mark.django_db
CONTEXT = {"code": "ABC-DEF", "email": "ann@example.org", "ip": "192.0.2.1", "user_agent": "x", "timestamp": "now"}
TEMPLATES = ("account/email/confirmation_code", "account/email/unknown_account", "mfa/email/totp_activated")


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("address", ["help@example.org", ""])
def test_mail_asks_nobody_to_contact_us_without_an_address(
    template: str, address: str, owner: User, settings: Any, rf: RequestFactory
) -> None:
    settings.SELLER = {**settings.SELLER, "email": address}
    mail = AccountAdapter(rf.get("/")).render_mail(template, owner.email, {**CONTEXT, "user": owner})
    texts = [str(mail.body), *(str(content) for content, _type in getattr(mail, "alternatives", ()))]
    for text in texts:
        assert (address in text) if address else ("contact us" not in text.lower())
