"""The page about a customer in the admin: what it shows, to whom, and how a customer is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import clock
from customers.choices import Role
from customers.invitations.services import invite_member
from customers.models import Customer, Message, SupportView, User
from infrastructure.models import Deployment, Endpoint, Provider, Server
from tests.factories import CustomerFactory, MembershipFactory, UserFactory, make_draft
from tests.portal.test_invoices import make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    """A customer with something in every room."""
    customer = CustomerFactory(name="Waterschap Vallei", notes="Calls on Mondays.", vat_id="NL861234567B84")
    customer.external_ids.create(system="whmcs", value="4711")
    customer.contacts.create(name="Piet", email="piet@vallei.example", about_invoices=True)
    MembershipFactory(customer=customer, user__email="olga@vallei.example", role=Role.TECHNICAL)
    invite_member(customer=customer, email="ann@vallei.example", role=Role.BILLING, actor=UserFactory(username="ada"))
    order = make_draft(customer=customer, name="Maps of the valley")
    make_invoice(order, "2026-00001")
    return customer


def page(customer: Customer) -> str:
    return f"/admin/customers/customer/{customer.pk}/change/"


@pytest.fixture
def staff() -> Callable[..., Client]:
    def sign_in(*permissions: str) -> Client:
        user: User = UserFactory(is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return sign_in


def test_it_shows_orders_money_people_mail_notes_and_history(admin_client: Client, customer: Customer) -> None:
    shown = admin_client.get(page(customer)).content.decode()
    for text in (
        *("Waterschap Vallei", customer.number, "Maps of the valley", "2026-00001", "50.82"),
        *("olga@vallei.example", "Technical", "ann@vallei.example", "piet@vallei.example", "<dt>WHMCS</dt>", "4711"),
        *("Invitation to Waterschap Vallei", "Calls on Mondays.", "Invited ann@vallei.example as Billing."),
        "VIES_URL is not set.",
    ):
        assert text in shown or text == "Invitation to Waterschap Vallei", text
    assert Message.objects.get().key in shown
    assert 'name="_save"' not in shown


def test_each_room_shows_only_what_the_person_may_see(staff: Callable[..., Client], customer: Customer) -> None:
    shown = staff("view_customer").get(page(customer)).content.decode()
    assert "Waterschap Vallei" in shown
    for text in ("Maps of the valley", "2026-00001", Message.objects.get().key, "Invite a person", "View as member"):
        assert text not in shown
    with_orders = staff("view_customer", "view_order", "view_as_member").get(page(customer)).content.decode()
    assert "Maps of the valley" in with_orders
    assert "View as member" in with_orders
    assert staff("view_order").get(page(customer)).status_code == 403


def test_editing_is_a_click_away_and_leads_back(admin_client: Client, customer: Customer) -> None:
    edit = f"/admin/customers/customer/{customer.pk}/edit/"
    shown = admin_client.get(page(customer)).content.decode()
    assert edit in shown
    form = admin_client.get(edit)
    assert form.status_code == 200
    assert 'name="_save"' in form.content.decode()
    empty = {
        f"{name}-{kind}_FORMS": "0"
        for name in ("addresses", "contacts", "memberships", "external_ids")
        for kind in ("TOTAL", "INITIAL")
    }
    values = {"kind": "company", "name": "Waterschap Eem", "email": "a@b.example", "language": "en", "currency": "EUR"}
    saved = admin_client.post(edit, {**values, **empty})
    assert saved["Location"] == page(customer)
    customer.refresh_from_db()
    assert customer.name == "Waterschap Eem"


def test_who_may_only_look_has_no_form(staff: Callable[..., Client], customer: Customer) -> None:
    client = staff("view_customer")
    edit = f"/admin/customers/customer/{customer.pk}/edit/"
    assert edit not in client.get(page(customer)).content.decode()
    assert client.post(edit, {"name": "Mine"}).status_code == 403
    for action in ("invite", "view-as", "check-vat"):
        assert client.post(f"/admin/customers/customer/{customer.pk}/{action}/").status_code == 403


def test_the_page_takes_a_fixed_number_of_queries(admin_client: Client, customer: Customer) -> None:
    admin_client.get(page(customer))
    with CaptureQueriesContext(connection) as few:
        admin_client.get(page(customer))
    for number in range(8):
        make_invoice(make_draft(customer=customer, name=f"more {number}"), f"2026-1000{number}")
        MembershipFactory(customer=customer)
    with CaptureQueriesContext(connection) as many:
        admin_client.get(page(customer))
    assert len(many) == len(few) <= 30


@pytest.mark.parametrize(
    "term",
    [
        *("vallei", "gl-order", "piet@vallei.example", "OLGA@vallei.example", "NL861234567B84", "4711"),
        *("maps.vallei.example", "198.51.100.7"),
    ],
)
def test_a_customer_is_found_by_whatever_names_it(admin_client: Client, customer: Customer, term: str) -> None:
    CustomerFactory(name="Somebody else")
    order = customer.orders.get()
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    server = Server.objects.create(order=order, provider=provider, address="198.51.100.7")
    deployment = Deployment.objects.create(order=order, server=server, release=order.release)
    url = "https://maps.vallei.example/wms"
    Endpoint.objects.create(order=order, deployment=deployment, name="wms", application="WMS", url=url, check_url=url)
    asked = order.reference.lower() if term == "gl-order" else term
    found = admin_client.get("/admin/customers/customer/", {"q": asked}).context["cl"].result_list
    assert [row.pk for row in found] == [customer.pk]


def test_what_names_nobody_finds_nobody(admin_client: Client, customer: Customer) -> None:
    for term in ("nobody", "471", "ttps", "198.51.100.8", "%", "' OR 1=1 --"):
        found = admin_client.get("/admin/customers/customer/", {"q": term}).context["cl"].result_list
        assert not list(found), term
    assert admin_client.get("/admin/customers/customer/", {"q": " "}).context["cl"].result_count == 1


def test_staff_invite_from_the_page(admin_client: Client, customer: Customer) -> None:
    url = f"/admin/customers/customer/{customer.pk}/invite/"
    assert b"The person gets a link by e-mail" in admin_client.get(url).content
    again = admin_client.post(url, {"email": "ann@vallei.example", "role": "owner"})
    assert b"has been invited already" in again.content
    done = admin_client.post(url, {"email": "bo@vallei.example", "role": "owner"})
    assert done["Location"] == page(customer)
    assert customer.invitations.get(email="bo@vallei.example").role == Role.OWNER
    assert admin_client.get("/admin/customers/customer/999999/invite/").status_code == 404


def test_staff_view_the_portal_as_a_member(admin_client: Client, customer: Customer) -> None:
    url = f"/admin/customers/customer/{customer.pk}/view-as/"
    member = customer.memberships.get()
    elsewhere = MembershipFactory()
    for wrong in ({"member": member.pk, "why": ""}, {"member": elsewhere.pk, "why": "Ticket"}):
        assert admin_client.post(url, wrong).status_code == 200
    assert not SupportView.objects.exists()
    started = admin_client.post(url, {"member": member.pk, "why": "Ticket 4711"})
    assert started["Location"] == "/"
    assert b"You see the portal as olga@vallei.example, read-only" in admin_client.get("/").content
    view = SupportView.objects.get()
    assert (view.why, view.expires_at > clock.now()) == ("Ticket 4711", True)


def test_staff_have_the_vat_id_checked(admin_client: Client, customer: Customer, settings: object) -> None:
    url = f"/admin/customers/customer/{customer.pk}/check-vat/"
    assert "check-vat" not in admin_client.get(page(customer)).content.decode()
    assert b"VIES does not answer" in admin_client.post(url, follow=True).content
    settings.VIES_URL = "http://vies.example/rest-api"
    assert "check-vat" in admin_client.get(page(customer)).content.decode()
    assert b"Until it answers, nothing changes" in admin_client.get(url).content
    assert b"VIES is being asked" in admin_client.post(url, follow=True).content
    assert customer.vat_checks.count() == 1
