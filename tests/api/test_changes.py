"""ETags, preconditions, rate limits and the types of errors."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient
from rest_framework.throttling import UserRateThrottle

from core.errors import Refusal
from customers.models import Customer
from infrastructure.placement.places import NoRoom
from live.api.problem_types import TITLES, title_of
from orders.models import Order
from orders.services import approve_order, place_order
from tests.api.conftest import Caller, make_staff

pytestmark = pytest.mark.django_db


def test_copy_that_is_up_to_date_is_not_sent_again(owner: APIClient, draft: Order) -> None:
    here = f"/api/v1/orders/{draft.reference}/"
    first = owner.get(here)
    kept = owner.get(here, headers={"If-None-Match": first["ETag"]})
    assert (kept.status_code, kept.content, kept["ETag"]) == (304, b"", first["ETag"])
    assert owner.get(here, headers={"If-None-Match": f"W/{first['ETag']}"}).status_code == 304
    place_order(order=draft)
    changed = owner.get(here, headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed["ETag"] != first["ETag"]) == (200, True)


def test_part_of_a_row_has_no_etag(owner: APIClient, draft: Order) -> None:
    assert "ETag" not in owner.get(f"/api/v1/orders/{draft.reference}/?fields=state")
    assert "ETag" not in owner.get(f"/api/v1/orders/{draft.reference}/?expand=plan")


def test_change_based_on_an_old_copy_is_refused(operator: APIClient, draft: Order) -> None:
    place_order(order=draft)
    here = f"/api/v1/orders/{draft.reference}/"
    old = operator.get(here)["ETag"]
    approve_order(order=draft)
    for stale in (old, '"made-up"', f"W/{operator.get(here)['ETag']}"):
        refused = operator.post(f"{here}suspension/", headers={"If-Match": stale})
        assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    draft.refresh_from_db()
    assert draft.wanted == "running"
    fresh = operator.get(here)["ETag"]
    suspended = operator.post(f"{here}suspension/", headers={"If-Match": f'"made-up", {fresh}'})
    assert suspended.status_code == 202
    assert suspended["ETag"] == operator.get(here)["ETag"] != fresh
    assert suspended["Location"] == f"http://testserver{here}"
    assert operator.post(f"{here}resumption/", headers={"If-Match": "*"}).status_code == 202


def test_incident_takes_an_update_only_on_its_present_version(calling: Caller, order: Order) -> None:
    staff = calling(make_staff("orders.view_order", "monitoring.view_incident", "monitoring.add_incidentupdate"))
    incident = order.incidents.get()
    here = f"/api/v1/incidents/{incident.pk}/"
    tag, body = staff.get(here)["ETag"], {"state": "identified", "message": "A disk is full."}
    assert staff.post(f"{here}updates/", body, format="json", headers={"If-Match": tag}).status_code == 201
    assert staff.post(f"{here}updates/", body, format="json", headers={"If-Match": tag}).status_code == 412
    assert incident.updates.count() == 1


def test_refused_precondition_frees_the_key(operator: APIClient, draft: Order) -> None:
    place_order(order=draft)
    here, key = f"/api/v1/orders/{draft.reference}/", {"Idempotency-Key": "approve-4711"}
    assert operator.post(f"{here}approval/", headers={"If-Match": '"x"', **key}).status_code == 412
    first = operator.post(f"{here}approval/", headers=key)
    again = operator.post(f"{here}approval/", headers=key)
    assert (first.status_code, again.status_code, again["ETag"]) == (202, 202, first["ETag"])


def test_every_answer_says_how_many_requests_are_left(owner: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "3/min"})
    answers = [owner.get(path) for path in ("/api/v1/orders/", "/api/v1/orders/X/", "/api/v1/orders/", "/api/v1/x/")]
    assert [answer.status_code for answer in answers] == [200, 404, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer["RateLimit-Limit"] for answer in answers} == {"3"}
    assert all(0 < int(answer["RateLimit-Reset"]) <= 60 for answer in answers)
    assert "RateLimit-Limit" not in Client().get("/healthz")


def test_every_refusal_of_the_rooms_has_a_type_that_answers() -> None:
    codes = {kind.code for kind in Refusal.__subclasses__()} | TITLES.keys()
    assert NoRoom.code in codes
    for code in codes:
        assert Client().get(f"/api/problems/{code}/").json() == {"code": code, "title": title_of(code)}
    assert Client().get("/api/problems/made_up/").status_code == 404


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "application/xml"]
)
@pytest.mark.parametrize("by_session", [False, True])
def test_body_of_another_type_is_refused_in_the_one_form_of_errors(
    owner: APIClient, customer: Customer, kind: str, by_session: bool
) -> None:
    client: Any = owner
    if by_session:
        client = Client(enforce_csrf_checks=True)
        client.force_login(customer.memberships.get().user)
    refused = client.generic("POST", "/api/v1/orders/", '{"why": "0"}', content_type=kind)
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.status_code in ((400, 403) if by_session else (415,))
    assert refused.json()["code"] in ("parse_error", "permission_denied", "unsupported_media_type")
