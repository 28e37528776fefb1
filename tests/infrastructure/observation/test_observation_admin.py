"""What was last seen is on the pages of staff, with a button to look again: workers look, pages never do."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from infrastructure.models import Deployment, Observation, Provider, Service
from infrastructure.observation.tasks import observe_provider
from tests.factories import UserFactory
from tests.infrastructure.many import make_many

pytestmark = pytest.mark.django_db
LOOK = "/admin/infrastructure/service/observe/"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setattr("core.engine.controller.enqueue", lambda *args, **options: None)
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    make_many(provider, 1)
    observe_provider(provider.pk)
    return provider


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What workers are asked for."""
    seen: list[tuple[object, ...]] = []
    monkeypatch.setattr("infrastructure.observation.tasks.enqueue", lambda *args, **options: seen.append(args))
    return seen


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def pages() -> list[str]:
    deployment = Deployment.objects.get()
    rows = [("orders_order", deployment.order_id), ("infrastructure_deployment", deployment.pk)]
    rows.append(("infrastructure_service", Service.objects.earliest("pk").pk))
    return [reverse(f"admin:{name}_change", args=(pk,)) for name, pk in rows]


def test_pages_say_what_was_seen_and_when(staff: Client, provider: Provider) -> None:
    for page in pages():
        text = staff.get(page).content.decode()
        assert "312.4 of 500 GB disk free" in text
        assert "updated now" in text
        assert f'action="{LOOK}"' in text
    order = staff.get(pages()[0]).content.decode()
    assert "MiB of 512\u00a0MiB" in order


def test_pages_say_why_nothing_was_seen(staff: Client, provider: Provider) -> None:
    Observation.objects.update(error="no route to host", seen_at=None)
    Service.objects.update(state="unknown")
    for page in pages():
        assert "no route to host" in staff.get(page).content.decode()


def test_look_now_asks_a_worker_and_goes_back(
    staff: Client, provider: Provider, asked: list[tuple[object, ...]]
) -> None:
    answer = staff.post(LOOK, {"provider": provider.pk, "next": pages()[0]})
    assert answer.headers["Location"] == pages()[0]
    assert asked == [("infrastructure.observation.tasks.observe_provider", provider.pk, True)]


def test_look_now_at_everything(staff: Client, provider: Provider, asked: list[tuple[object, ...]]) -> None:
    staff.post(LOOK, {"next": "https://elsewhere.test/"})
    assert asked == [("infrastructure.observation.tasks.observe_provider", provider.pk, False)]
    assert staff.post(LOOK, {"next": "https://elsewhere.test/"}).headers["Location"].startswith("/admin/")


@pytest.mark.parametrize("nonsense", ["²", "x", "9" * 40])
def test_a_number_altered_by_hand_is_no_provider(
    staff: Client, provider: Provider, asked: list[tuple[object, ...]], nonsense: str
) -> None:
    assert staff.post(LOOK, {"provider": nonsense}).status_code == 302
    assert asked == [("infrastructure.observation.tasks.observe_provider", provider.pk, False)]


def test_look_now_is_not_for_strangers_and_not_by_a_link(
    client: Client, staff: Client, provider: Provider, asked: list[tuple[object, ...]]
) -> None:
    assert staff.get(LOOK).status_code == 405
    client.force_login(UserFactory(is_staff=True))
    assert client.post(LOOK, {"provider": provider.pk}).status_code == 403
    assert asked == []


def test_image_that_was_not_deployed_is_said(staff: Client, provider: Provider) -> None:
    Service.objects.update(launched_digest="sha256:before")
    assert "Not the image that was deployed." in staff.get(pages()[0]).content.decode()
    assert "not the one deployed" in staff.get(reverse("admin:infrastructure_service_changelist")).content.decode()
