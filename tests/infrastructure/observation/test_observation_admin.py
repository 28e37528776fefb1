"""Observations in the admin, with a button to re-check: workers observe, requests never do."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from infrastructure.models import Deployment, Observation, Provider, Service
from infrastructure.observation.tasks import observe_provider
from tests.factories import UserFactory
from tests.infrastructure.many import make_many

pytestmark = pytest.mark.django_db
OBSERVE = "/admin/infrastructure/service/observe/"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    make_many(provider, 1)
    observe_provider(provider.pk)
    return provider


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The tasks that were queued."""
    tasks: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        "infrastructure.observation.tasks.enqueue_calls",
        lambda task, calls, **options: tasks.extend((task, *call.args) for call in calls),
    )
    return tasks


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def pages() -> list[str]:
    deployment = Deployment.objects.get()
    rows = [("orders_order", deployment.order_id), ("infrastructure_deployment", deployment.pk)]
    rows.append(("infrastructure_service", Service.objects.earliest("pk").pk))
    return [reverse(f"admin:{name}_change", args=(pk,)) for name, pk in rows]


def test_pages_show_the_last_observation_and_its_age(staff: Client, provider: Provider) -> None:
    for page in pages():
        text = staff.get(page).content.decode()
        assert "312.4 of 500 GB disk free" in text
        assert "updated now" in text
        assert f'action="{OBSERVE}"' in text
    order = staff.get(pages()[0]).content.decode()
    assert "MiB of 512\u00a0MiB" in order


def test_pages_show_the_error_of_a_failed_observation(staff: Client, provider: Provider) -> None:
    Observation.objects.update(error="no route to host", seen_at=None)
    Service.objects.update(state="unknown")
    for page in pages():
        assert "no route to host" in staff.get(page).content.decode()


def test_re_check_queues_a_task_and_returns_to_the_page(
    staff: Client, provider: Provider, queued: list[tuple[object, ...]]
) -> None:
    answer = staff.post(OBSERVE, {"provider": provider.pk, "next": pages()[0]})
    assert answer.headers["Location"] == pages()[0]
    assert queued == [("infrastructure.observation.tasks.observe_provider", provider.pk, True)]


def test_re_check_of_all_providers(staff: Client, provider: Provider, queued: list[tuple[object, ...]]) -> None:
    staff.post(OBSERVE, {"next": "https://elsewhere.test/"})
    assert queued == [("infrastructure.observation.tasks.observe_provider", provider.pk, False)]
    assert staff.post(OBSERVE, {"next": "https://elsewhere.test/"}).headers["Location"].startswith("/admin/")


@pytest.mark.parametrize("nonsense", ["²", "x", "9" * 40])
def test_an_invalid_provider_re_checks_all(
    staff: Client, provider: Provider, queued: list[tuple[object, ...]], nonsense: str
) -> None:
    assert staff.post(OBSERVE, {"provider": nonsense}).status_code == 302
    assert queued == [("infrastructure.observation.tasks.observe_provider", provider.pk, False)]


def test_re_check_needs_a_post_and_the_permission(
    client: Client, staff: Client, provider: Provider, queued: list[tuple[object, ...]]
) -> None:
    assert staff.get(OBSERVE).status_code == 405
    client.force_login(UserFactory(is_staff=True))
    assert client.post(OBSERVE, {"provider": provider.pk}).status_code == 403
    assert queued == []


def test_an_image_that_was_not_deployed_is_shown(staff: Client, provider: Provider) -> None:
    Service.objects.update(launched_digest="sha256:before")
    assert "Not the image that was deployed." in staff.get(pages()[0]).content.decode()
    assert "not the deployed image" in staff.get(reverse("admin:infrastructure_service_changelist")).content.decode()
