"""An empty list in the admin says why it is empty and what to do."""

from __future__ import annotations

import pytest
from django.test import Client

from customers.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("address", "sentences"),
    [
        ("customers/customer/", ("No customers yet", "Add the first; it appears here.", "Add customer")),
        ("customers/customer/?q=nobody", ("No customers match", "Change the search or the filters", "Show all")),
        ("infrastructure/server/", ("No servers yet", "Rows appear here by themselves")),
    ],
)
def test_empty_list_says_what_to_do(client: Client, address: str, sentences: tuple[str, ...]) -> None:
    client.force_login(User.objects.create_superuser("root@example.org", "x"))
    page = client.get(f"/admin/{address}").content.decode()
    assert "yielded" not in page
    for sentence in sentences:
        assert sentence in page
