"""How staff see and steer customers, people, tokens and messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from core import clock
from customers.models import Address, ApiToken, Customer, ExternalId, Membership, Message, User
from tests.factories import AddressFactory, CustomerFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db

LISTS = ("customer", "user", "apitoken", "message")


def enter(*permissions: str, **fields: Any) -> tuple[Client, User]:
    """A member of staff with these permissions, signed in."""
    user = UserFactory.create(is_staff=True, **fields)
    names = [permission.split(".") for permission in permissions]
    user.user_permissions.set(
        [Permission.objects.get(content_type__app_label=app, codename=codename) for app, codename in names]
    )
    client = Client()
    client.force_login(user)
    return client, user


@pytest.fixture
def chief() -> Client:
    """Someone who may do everything."""
    return enter(is_superuser=True)[0]


def change_url(row: Any) -> str:
    """The row's page in the admin."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))


def list_url(name: str) -> str:
    """A list in the admin."""
    return reverse(f"admin:customers_{name}_changelist")


def message_to(customer: Customer, number: int = 0, **fields: Any) -> Message:
    """A message that was written."""
    key = f"order:{customer.number}:{number}"
    return Message.objects.create(key=key, customer=customer, to=[customer.email], subject="Hi", text="Hello", **fields)


def fill(count: int) -> None:
    """`count` more rows for each list."""
    for number in range(count):
        member = MembershipFactory.create()
        ExternalId.objects.create(customer=member.customer, system="whmcs", value=f"{member.pk}")
        ApiToken.objects.create(user=member.user, name="reader")
        message_to(member.customer, number)


def form_of(customer: Customer | None = None, **changes: str) -> dict[str, str]:
    """What the browser posts for a customer."""
    sections = ("addresses", "contacts", "memberships", "external_ids")
    totals = {f"{section}-{part}_FORMS": "0" for section in sections for part in ("TOTAL", "INITIAL")}
    own = {"kind": "company", "name": "Waterschap", "email": "gis@example.org", "language": "en", "currency": "EUR"}
    return {**totals, **own, "vat_id": "", "phone": "", "notes": "", **changes}


@pytest.mark.parametrize("name", LISTS)
def test_list_costs_the_same_queries_however_long(
    chief: Client, name: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for rows in (10, 50):
        fill(rows)
        with django_assert_max_num_queries(25) as captured:
            assert chief.get(list_url(name)).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("name", LISTS)
def test_strangers_see_no_list(name: str) -> None:
    url = list_url(name)
    without_permission, _user = enter()
    assert without_permission.get(url).status_code == 403
    customers_person = Client()
    customers_person.force_login(UserFactory.create())
    assert customers_person.get(url).status_code == 302
    assert Client().get(url).status_code == 302


@pytest.mark.parametrize("word", ["Waterschap Rijn", "CX1", "rijn@example.org", "NL1234", "whmcs-77"])
def test_customer_is_found_by_what_staff_know(chief: Client, word: str) -> None:
    customer = CustomerFactory.create(name="Waterschap Rijn", number="CX1", email="rijn@example.org", vat_id="NL1234")
    ExternalId.objects.create(customer=customer, system="whmcs", value="whmcs-77")
    CustomerFactory.create(name="Somebody else")
    page = chief.get(list_url("customer"), {"q": word}).content.decode()
    assert "Waterschap Rijn" in page
    assert "Somebody else" not in page


def test_customers_are_filtered_by_state_and_country(chief: Client) -> None:
    AddressFactory.create(country="BE", customer=CustomerFactory.create(name="Gent", address=None, state="closed"))
    CustomerFactory.create(name="Delft")
    for query in ({"country": "BE"}, {"state__exact": "closed"}):
        page = chief.get(list_url("customer"), query).content.decode()
        assert "Gent" in page
        assert "Delft" not in page


def test_new_customer_gets_a_number_and_a_clean_vat_id(chief: Client) -> None:
    url = reverse("admin:customers_customer_add")
    assert chief.post(url, form_of(vat_id="be 0428.759.497", currency="CHF")).status_code == 302
    customer = Customer.objects.get()
    assert (customer.number[0], customer.vat_id, customer.currency) == ("C", "BE0428759497", "CHF")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("vat_id", "NL123", "NL123 is not a VAT id of NL"),
        ("vat_id", "861234567", "Start with the two letters of the country"),
        ("currency", "XYZ", "XYZ is not one of the available choices"),
        ("email", "nobody", "valid email address"),
        ("name", "", "required"),
    ],
)
def test_wrong_value_is_told_at_its_field(chief: Client, field: str, value: str, message: str) -> None:
    answer = chief.post(reverse("admin:customers_customer_add"), form_of(**{field: value}))
    assert message in str(answer.context["adminform"].form.errors[field])
    assert not Customer.objects.exists()


def test_unknown_country_is_told_at_its_field(chief: Client) -> None:
    address = {"kind": "general", "street": "Weg 1", "city": "Ede", "country": "QQ"}
    inline = {f"addresses-0-{name}": value for name, value in address.items()} | {"addresses-TOTAL_FORMS": "1"}
    answer = chief.post(reverse("admin:customers_customer_add"), form_of() | inline)
    assert "QQ is not one of the available choices" in answer.content.decode()
    inline["addresses-0-country"] = "NL"
    assert chief.post(reverse("admin:customers_customer_add"), form_of() | inline).status_code == 302
    assert Address.objects.get().country == "NL"


@pytest.mark.parametrize("same", [{"name": "WATERSCHAP"}, {"email": "GIS@ws.example"}, {"vat_id": "be 0428.759.497"}])
def test_a_likely_duplicate_is_stored_only_once_that_is_confirmed(chief: Client, same: dict[str, str]) -> None:
    first = CustomerFactory.create(name="Waterschap", email="gis@ws.example", vat_id="BE0428759497")
    url = reverse("admin:customers_customer_add")
    other = {"name": "Other", "email": "other@example.org", "vat_id": ""}
    page = chief.post(url, form_of(**(other | same)))
    assert first.number in page.content.decode()
    assert Customer.objects.get() == first
    assert chief.post(url, form_of(**(other | same), is_new_customer="on")).status_code == 302
    assert Customer.objects.count() == 2


def test_a_customer_that_is_changed_is_not_compared_with_itself(chief: Client) -> None:
    customer = CustomerFactory.create(name="Waterschap", address=None)
    assert "is_new_customer" not in chief.get(change_url(customer)).content.decode()
    assert chief.post(change_url(customer), form_of(name="Waterschap")).status_code == 302


def test_changed_vat_id_has_yet_to_be_checked(chief: Client) -> None:
    customer = CustomerFactory.create(vat_id="BE0428759497", vat_id_checked_at=clock.now(), address=None)
    assert chief.post(change_url(customer), form_of(vat_id="BE0403019261")).status_code == 302
    customer.refresh_from_db()
    assert customer.vat_id_checked_at is None


def act(client: Client, name: str, action: str, *rows: Any, **more: str) -> Any:
    """An action of a list is asked for."""
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}
    return client.post(list_url(name), chosen, follow=bool(more))


def test_customer_is_closed_after_confirmation_and_the_history_says_why(chief: Client) -> None:
    customer = CustomerFactory.create()
    page = act(chief, "customer", "close", customer)
    assert "Nothing can be ordered" in page.content.decode()
    customer.refresh_from_db()
    assert customer.state == Customer.State.ACTIVE
    page = act(chief, "customer", "close", customer, confirmed="yes", why="Bankrupt")
    customer.refresh_from_db()
    assert customer.state == Customer.State.CLOSED
    assert LogEntry.objects.get().change_message == "Close. Bankrupt"
    page = act(chief, "customer", "close", customer, confirmed="yes")
    assert "is closed already" in page.content.decode()
    act(chief, "customer", "reopen", customer, confirmed="yes")
    customer.refresh_from_db()
    assert customer.state == Customer.State.ACTIVE


def test_reader_can_neither_close_nor_change() -> None:
    reader, _user = enter("customers.view_customer")
    customer = CustomerFactory.create()
    act(reader, "customer", "close", customer, confirmed="yes")
    assert reader.post(change_url(customer), form_of(name="Mine")).status_code == 403
    customer.refresh_from_db()
    assert (customer.state, customer.name == "Mine") == (Customer.State.ACTIVE, False)


def test_export_has_a_line_for_each_customer_and_no_formula(chief: Client) -> None:
    customers = [CustomerFactory.create(name="=HYPERLINK(1)"), CustomerFactory.create(name="Ede, gemeente")]
    answer = act(chief, "customer", "export", *customers)
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("number,kind,name")
    assert sorted(line.split(",")[2] for line in lines[1:]) == ['"Ede', "'=HYPERLINK(1)"]
    assert all(line.endswith("Bennekom,,NL") for line in lines[1:])


def test_token_is_shown_once_and_opens_the_api(chief: Client) -> None:
    user = UserFactory.create()
    url = reverse("admin:customers_apitoken_add")
    answer = chief.post(
        url, {"user": user.pk, "name": "Reader", "scopes": ["all:write"], "expiry_0": "", "expiry_1": ""}, follow=True
    )
    (texts,) = [str(message) for message in answer.context["messages"] if "Copy" in str(message)]
    key = texts.rsplit(" ", 1)[1]
    token = ApiToken.objects.get()
    assert (token.user, token.name) == (user, "Reader")
    assert key not in str(token.__dict__)
    for address in (list_url("apitoken"), change_url(token)):
        assert key not in chief.get(address).content.decode()
    answer = Client().get("/api/v1/customers/", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    token.delete()
    assert Client().get("/api/v1/customers/", headers={"authorization": f"Bearer {key}"}).status_code == 401


def test_token_cannot_expire_in_the_past(chief: Client) -> None:
    history = clock.now() - timedelta(days=2)
    fields = {"user": UserFactory.create().pk, "name": "Old", "expiry_0": f"{history:%Y-%m-%d}", "expiry_1": "12:00:00"}
    answer = chief.post(reverse("admin:customers_apitoken_add"), fields)
    assert "in the future" in str(answer.context["adminform"].form.errors["expiry"])


def test_nobody_makes_a_token_for_a_more_powerful_colleague() -> None:
    clerk, user = enter("customers.add_apitoken", "customers.view_apitoken", "customers.view_user")
    boss = UserFactory.create(is_staff=True, is_superuser=True)
    url = reverse("admin:customers_apitoken_add")
    answer = clerk.post(
        url, {"user": boss.pk, "name": "Sneaky", "scopes": ["all:write"], "expiry_0": "", "expiry_1": ""}
    )
    assert "Only an administrator" in str(answer.context["adminform"].form.errors["user"])
    clerk.post(url, {"user": user.pk, "name": "My own", "scopes": ["all:write"], "expiry_0": "", "expiry_1": ""})
    assert [token.user for token in ApiToken.objects.all()] == [user]


def test_clerk_helps_customers_people_and_touches_no_colleague() -> None:
    clerk, user = enter("customers.change_user", "customers.view_user")
    boss, colleague = UserFactory.create(is_staff=True, is_superuser=True), UserFactory.create(is_staff=True)
    person = UserFactory.create()
    totals = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    fields = {"username": "taken-over", "email": "mine@example.org", "is_active": "on", "is_staff": "on"}
    for protected in (boss, colleague, user):
        assert clerk.post(change_url(protected), fields | totals).status_code == 403
        password = reverse("admin:auth_user_password_change", args=(protected.pk,))
        assert clerk.get(password).status_code == 403
    assert clerk.post(change_url(person), fields | {"is_superuser": "on"} | totals).status_code == 302
    person.refresh_from_db()
    assert (person.email, person.is_staff, person.is_superuser) == ("mine@example.org", False, False)


def test_failed_message_is_sent_again_and_one_that_waits_is_left_alone(chief: Client) -> None:
    customer = CustomerFactory.create()
    failed = message_to(customer, 1, failed_version=1, last_error="The mail server refused it")
    waiting = message_to(customer, 2, next_attempt_at=clock.now())
    assert "sent once more" in act(chief, "message", "send_again", failed, waiting).content.decode()
    page = act(chief, "message", "send_again", failed, waiting, confirmed="yes").content.decode()
    assert "1 changed." in page
    assert "This message is waiting to be sent already." in page
    failed.refresh_from_db()
    assert (failed.wanted_version, failed.last_error, failed.has_failed) == (2, "", False)
    assert failed.next_attempt_at is not None
    assert mail.outbox == []


def test_messages_are_neither_made_nor_changed_by_hand(chief: Client) -> None:
    message = message_to(CustomerFactory.create())
    assert chief.get(reverse("admin:customers_message_add")).status_code == 403
    assert chief.post(reverse("admin:customers_message_delete", args=(message.pk,))).status_code == 403
    assert "Hello" in chief.get(change_url(message)).content.decode()


@pytest.mark.parametrize("name", ["customer", "user", "group"])
def test_pages_to_add_and_change_open(chief: Client, name: str) -> None:
    app = "auth" if name == "group" else "customers"
    assert chief.get(reverse(f"admin:{app}_{name}_add")).status_code == 200
    member = MembershipFactory.create(role=Membership.Role.READ_ONLY)
    if name != "group":
        assert chief.get(change_url(getattr(member, name))).status_code == 200


def test_person_without_a_password_is_added_once_per_address(chief: Client) -> None:
    url = reverse("admin:customers_user_add")
    fields = {"username": "ann", "email": "ann@example.org", "usable_password": "false"}
    totals = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    assert chief.post(url, fields | totals).status_code == 302
    user = User.objects.get(username="ann")
    assert (user.email, user.has_usable_password(), user.is_staff) == ("ann@example.org", False, False)
    again = chief.post(url, {**fields, "username": "bo", "email": "ANN@example.org"} | totals)
    assert again.status_code == 200
    assert again.context["adminform"].form.errors
    assert not User.objects.filter(username="bo").exists()


def test_zone_and_language_of_a_person_can_be_chosen(chief: Client) -> None:
    user = UserFactory.create(username="ann")
    totals = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    fields = {"username": "ann", "email": "ann@example.org", "is_active": "on"}
    chosen = {"time_zone": "Asia/Tokyo", "language": "en"}
    assert chief.post(change_url(user), fields | chosen | totals).status_code == 302
    user.refresh_from_db()
    assert (user.time_zone, user.language) == ("Asia/Tokyo", "en")
    assert '<optgroup label="Asia">' in chief.get(change_url(user)).content.decode()
    answer = chief.post(change_url(user), fields | {"time_zone": "Mars/Base", "language": "xx"} | totals)
    assert set(answer.context["adminform"].form.errors) == {"time_zone", "language"}


KEEPER = ("customers.view_customer", "customers.change_customer", "customers.view_user", "customers.change_user")
MEMBERSHIPS = tuple(f"customers.{verb}_membership" for verb in ("add", "change", "delete", "view"))


@pytest.mark.parametrize("who", ["oneself", "a colleague", "somebody"])
@pytest.mark.parametrize("right", [(), ("customers.admit_staff",)])
def test_staff_become_members_only_by_a_right_of_its_own(who: str, right: tuple[str, ...]) -> None:
    editor, user = enter(*KEEPER, *MEMBERSHIPS, *right)
    member = {
        "oneself": user,
        "a colleague": UserFactory.create(is_staff=True),
        "somebody": UserFactory.create(),
    }[who]
    customer = CustomerFactory.create(address=None)
    inline = {"memberships-TOTAL_FORMS": "1", "memberships-0-user": str(member.pk), "memberships-0-role": "owner"}
    answer = editor.post(change_url(customer), form_of(name=customer.name) | inline)
    admitted = customer.memberships.filter(user=member).exists()
    assert admitted == (who == "somebody" or bool(right))
    assert admitted or "customers.admit_staff" in answer.content.decode()


def test_token_made_in_the_admin_expires_as_others_do_and_is_recognisable(chief: Client, settings: Settings) -> None:
    user = UserFactory.create()
    asked = {"user": str(user.pk), "name": "Reader", "scopes": ["all:write"], "expiry_0": "", "expiry_1": ""}
    page = chief.post(reverse("admin:customers_apitoken_add"), asked, follow=True)
    token = ApiToken.objects.get()
    assert token.expiry is not None
    assert abs(token.expiry - clock.now() - timedelta(days=settings.API_TOKEN_DAYS)) < timedelta(minutes=1)
    assert token.token_key.startswith("gcl_")
    assert "gcl_" in page.content.decode()
