"""Somebody who has just signed in, for whom nothing has to be confirmed again."""

from __future__ import annotations

import time

from django.test import Client

from customers.models import User


def signed_in_at(client: Client, user: User, *, ago: float = 0) -> Client:
    """The client, with a sign-in `ago` seconds before this moment in its session."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "code", "at": time.time() - ago}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client
