"""The staff webhook is signed, guarded, and repeated until it was taken or refused."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import requests
import responses
from standardwebhooks.webhooks import Webhook

from core import clock
from core.engine.controller import controllers
from core.errors import ConfigError, PermanentError, TransientError
from core.outside.address_guard import PUBLIC_ONLY
from live.alerts.services import update_alerts
from live.alerts.webhook import StaffWebhook
from live.models import WebhookDelivery
from orders.services import approve_order, place_order
from tests.driving import Drive
from tests.factories import make_draft

URL = "https://alerts.example/hook"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def site(settings: Any) -> Any:
    """A site with a webhook."""
    settings.STAFF_WEBHOOK_URL, settings.STAFF_WEBHOOK_SECRET = URL, SECRET
    return settings


def visit() -> None:
    next(controller for controller in controllers() if controller.name == "staff-webhook").run()


def post(**fields: str) -> None:
    hook = StaffWebhook(url=fields.get("url", URL), secret=fields.get("secret", SECRET), guard=PUBLIC_ONLY)
    hook.post(message_id="alert_1", body="{}", at=clock.now())


@pytest.mark.django_db
@responses.activate
def test_alert_is_posted_signed_when_raised_and_when_cleared(site: Any) -> None:
    responses.post(URL, status=204)
    order = place_order(order=make_draft())
    update_alerts()
    visit()
    approve_order(order=order)
    update_alerts()
    visit()
    sent = [Webhook(SECRET).verify(call.request.body, dict(call.request.headers)) for call in responses.calls]
    assert [body["type"] for body in sent] == ["alert.raised", "alert.cleared"]
    assert sent[0]["data"]["url"] == f"http://testserver/admin/orders/order/{order.pk}/change/"
    assert sent[1]["data"]["cleared_at"]
    assert not WebhookDelivery.objects.filter(delivered_at=None).exists()


@pytest.mark.django_db
@responses.activate
def test_delivery_that_was_not_taken_is_repeated_with_its_id(site: Any, drive: Drive) -> None:
    responses.post(URL, status=503)
    responses.post(URL, status=200)
    place_order(order=make_draft())
    update_alerts()
    visit()
    drive.now += timedelta(minutes=1)
    visit()
    assert len({call.request.headers["webhook-id"] for call in responses.calls}) == 1
    assert len(responses.calls) == 2
    assert WebhookDelivery.objects.get().is_settled


@pytest.mark.django_db
def test_without_an_address_nothing_is_to_be_delivered() -> None:
    place_order(order=make_draft())
    update_alerts()
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 500}, TransientError),
        ({"status": 429, "headers": {"Retry-After": "7"}}, TransientError),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1/"}}, PermanentError),
        ({"status": 404}, PermanentError),
        ({"status": 401}, ConfigError),
        ({"body": requests.ConnectionError("gone")}, TransientError),
        ({"body": requests.ReadTimeout("late")}, TransientError),
    ],
)
@responses.activate
def test_answers_become_our_errors(answer: dict[str, Any], error: type[Exception]) -> None:
    responses.post(URL, **answer)
    with pytest.raises(error) as caught:
        post()
    if "Retry-After" in json.dumps(answer, default=str):
        assert caught.value.retry_in == timedelta(seconds=7)  # type: ignore[attr-defined]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_é"])
def test_secret_that_is_none_is_an_error_of_the_settings(secret: str) -> None:
    with pytest.raises(ConfigError):
        post(secret=secret)


@pytest.mark.enable_socket  # an address of digits is resolved without a network
@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://169.254.169.254/", "nonsense"])
def test_address_in_our_own_network_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        post(url=url)
