"""VAT ids are checked in the background; until there is an answer, nothing is decided."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from core import clock
from customers.models import Customer, VatCheck
from customers.vat_checks.display import vat_status
from customers.vat_checks.services import request_due_checks, request_vat_check
from tests.doubles.vies.server import ViesDouble
from tests.driving import Drive
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
IN_USE, NOT_IN_USE = "BE0428759497", "BE0403019261"


def visit(drive: Drive) -> None:
    """A worker visits every check that is due."""
    VatCheck.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=clock.now(), leased_until=None)
    drive.visit_all()


def checked(customer: Customer) -> bool:
    customer.refresh_from_db()
    return customer.vat_id_checked_at is not None


def test_a_number_in_use_counts_as_checked(vies: ViesDouble, drive: Drive) -> None:
    customer = CustomerFactory(vat_id=IN_USE)
    request_vat_check(customer=customer)
    assert "Until VIES confirms it" in vat_status(customer).meaning
    visit(drive)
    check = VatCheck.objects.get()
    assert (check.result, check.name, check.consultation_number) == ("valid", "Kaarten NV", "WAPIAAAA00000001")
    assert checked(customer)
    status = vat_status(customer)
    assert (status.tone, "WAPIAAAA00000001" in status.meaning) == ("success", True)


def test_a_number_not_in_use_counts_no_longer(vies: ViesDouble, drive: Drive) -> None:
    customer = CustomerFactory(vat_id=NOT_IN_USE, vat_id_checked_at=clock.now() - timedelta(days=90))
    request_vat_check(customer=customer)
    visit(drive)
    assert VatCheck.objects.get().result == "invalid"
    assert not checked(customer)
    assert vat_status(customer).label == "Not valid"


def test_an_outage_decides_nothing_and_is_tried_again(vies: ViesDouble, drive: Drive) -> None:
    customer = CustomerFactory(vat_id=IN_USE, vat_id_checked_at=clock.now())
    vies.fault = "MS_UNAVAILABLE"
    request_vat_check(customer=customer)
    visit(drive)
    check = VatCheck.objects.get()
    assert (check.result, check.has_failed, "MS_UNAVAILABLE" in check.last_error) == ("", False, True)
    assert checked(customer)
    assert check.next_attempt_at is not None
    Customer.objects.update(vat_id_checked_at=None)
    customer.refresh_from_db()
    assert "MS_UNAVAILABLE" in vat_status(customer).meaning
    vies.fault = ""
    visit(drive)
    assert checked(customer)


def test_a_mistake_of_ours_waits_for_staff(vies: ViesDouble, drive: Drive) -> None:
    customer = CustomerFactory(vat_id=IN_USE)
    vies.fault = "INVALID_REQUESTER_INFO"
    request_vat_check(customer=customer)
    visit(drive)
    assert VatCheck.objects.get().has_failed
    vies.fault = ""
    request_vat_check(customer=customer)
    visit(drive)
    assert checked(customer)
    assert VatCheck.objects.count() == 1


def test_an_answer_about_an_earlier_number_changes_nothing(vies: ViesDouble, drive: Drive) -> None:
    customer = CustomerFactory(vat_id=IN_USE)
    request_vat_check(customer=customer)
    Customer.objects.update(vat_id=NOT_IN_USE)
    visit(drive)
    assert VatCheck.objects.get().result == "valid"
    assert not checked(customer)


def test_the_same_question_is_asked_once_at_a_time(vies: ViesDouble) -> None:
    customer = CustomerFactory(vat_id=IN_USE)
    assert request_vat_check(customer=customer) == request_vat_check(customer=customer)
    assert VatCheck.objects.count() == 1


@pytest.mark.parametrize("vat_id", ["", "GB980780684", "CHE107787577IVA"])
def test_numbers_that_vies_does_not_know_are_not_asked_about(vies: ViesDouble, vat_id: str) -> None:
    customer = CustomerFactory(vat_id=vat_id)
    assert request_vat_check(customer=customer) is None
    assert vat_status(customer).label == ("Not in VIES" if vat_id else "None")


def test_the_clock_asks_about_what_has_no_recent_answer(vies: ViesDouble, drive: Drive) -> None:
    customer, closed = CustomerFactory(vat_id=IN_USE), CustomerFactory(vat_id=IN_USE, state="closed")
    CustomerFactory(vat_id="GB980780684")
    assert request_due_checks() == 1
    assert request_due_checks() == 0
    visit(drive)
    assert request_due_checks() == 0
    VatCheck.objects.update(checked_at=clock.now() - timedelta(days=31))
    assert request_due_checks() == 1
    assert customer.vat_checks.count() == 2
    assert not closed.vat_checks.exists()


def test_without_vies_nothing_is_asked(settings: Settings) -> None:
    settings.VIES_URL = ""
    customer = CustomerFactory(vat_id=IN_USE)
    assert request_vat_check(customer=customer) is None
    assert request_due_checks() == 0
    assert "VIES_URL is not set" in vat_status(customer).meaning


def test_staff_have_it_checked_again(vies: ViesDouble, drive: Drive, admin_client: Client) -> None:
    customer = CustomerFactory(vat_id=IN_USE)
    request_vat_check(customer=customer)
    visit(drive)
    (check,) = VatCheck.objects.all()
    asked = {"action": "check_again", "_selected_action": [check.pk], "confirmed": "yes"}
    admin_client.post("/admin/customers/vatcheck/", asked)
    assert customer.vat_checks.count() == 2
    assert b"WAPIAAAA00000001" in admin_client.get(f"/admin/customers/vatcheck/{check.pk}/change/").content
