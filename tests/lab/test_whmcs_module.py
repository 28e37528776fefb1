"""The WHMCS module that we ship, run by PHP against the running API."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from pytest_django.live_server_helper import LiveServer

from core import clock
from customers.models import ApiToken, WhmcsSync
from customers.whmcs.simulator.records import example_client
from infrastructure.models import Provider
from infrastructure.sandbox.models import SandboxSwitches
from orders.models import Order
from products.models import Plan, ReleaseBundle
from tests.factories import PlanFactory, ReleaseFactory, UserFactory

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
MODULE = Path(settings.BASE_DIR) / "customers/whmcs/module/modules/servers/geocatlive"
RUN = """
error_reporting(E_ALL);
set_error_handler(function ($level, $text, $file, $line) { fwrite(STDERR, "$text at $file:$line\\n"); exit(9); });
define('WHMCS', true);
$hooks = [];
$logged = [];
function add_hook($name, $priority, $function) { global $hooks; $hooks[$name] = $function; }
function logModuleCall($module, $action, $request, $response, $processed, $secrets) {
    global $logged; $logged[] = [$action, $secrets];
}
$input = json_decode(stream_get_contents(STDIN), true);
require $input['file'];
if (isset($input['globals'])) { foreach ($input['globals'] as $name => $value) { $GLOBALS[$name] = $value; } }
$function = isset($input['hook']) ? $hooks[$input['hook']] : $input['function'];
echo json_encode(['result' => $function($input['params']), 'logged' => $logged]);
"""
Call = Callable[..., Any]


def php(**given: Any) -> Any:
    """The result of one function of the module, in a process of its own; notices and warnings fail."""
    run = subprocess.run(
        ["php", "-d", "display_errors=stderr", "-r", RUN],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr + run.stdout
    assert run.stderr == ""
    return json.loads(run.stdout)["result"]


@pytest.fixture
def plan(transactional_db: None) -> Plan:
    """A plan on sale, and a sandbox to run it."""
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    SandboxSwitches.objects.get_or_create(provider=provider)
    made: Plan = PlanFactory()
    ReleaseBundle.objects.create(release=ReleaseFactory(product=made.product), archive=b"")
    return made


@pytest.fixture
def call(live_server: LiveServer, plan: Plan, socket_enabled: None) -> Call:
    """Calls a function of the module for service 7."""
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="serve_whmcs"))
    token = ApiToken.objects.create(user=user)[1]
    host, port = live_server.url.removeprefix("http://").split(":")
    params = {
        "serviceid": 7,
        "userid": 3,
        "configoption1": f"{plan.product.slug}/{plan.slug}",
        "configoption2": "on",
        "serverhostname": host,
        "serverport": port,
        "serversecure": "",
        "serveraccesshash": token,
        "clientsdetails": {**example_client(3), "userid": 3},
        "customfields": {"live_title|Title": "Maps of Ede"},
    }
    file = str(MODULE / "geocatlive.php")
    return lambda function, **changes: php(file=file, function=f"geocatlive_{function}", params={**params, **changes})


def wanted() -> str:
    return Order.objects.get().wanted


def test_files_are_clean_php() -> None:
    for file in sorted(MODULE.rglob("*.php")):
        run = subprocess.run(["php", "-l", str(file)], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout


def test_life_of_a_service(call: Call) -> None:
    assert call("TestConnection") == {"success": True, "error": ""}
    assert call("CreateAccount") == "success"
    order = Order.objects.get()
    assert (order.inputs, order.is_sandbox) == ({"title": "Maps of Ede"}, True)
    for function, state in (("SuspendAccount", "suspended"), ("UnsuspendAccount", "running")):
        order.refresh_from_db()
        Order.objects.filter(pk=order.pk).update(state="active" if state == "suspended" else "suspended")
        assert call(function, suspendreason="Overdue on Payment") == "success"
        assert call(function) == "success"
        assert wanted() == state
    assert call("ChangePackage") == "success"
    assert call("Renew") == "success"
    assert call("AdminServicesTabFields")["Order in Geocat Live"] == order.reference
    assert call("ClientArea")["templateVariables"]["order"] == order.reference
    (account,) = call("ListAccounts")["accounts"]
    assert (account["uniqueIdentifier"], account["product"]) == (
        order.reference,
        call("ListAccounts")["accounts"][0]["product"],
    )
    entered = call("ServiceSingleSignOn")
    assert entered["success"]
    assert "/account/sign-on/" in entered["redirectTo"]
    assert call("TerminateAccount") == call("TerminateAccount") == "success"
    assert wanted() == "removed"


def test_ten_identical_calls_make_one_order(call: Call) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _number: call("CreateAccount"), range(10)))
    assert "success" in answers
    assert call("CreateAccount") == "success"
    assert Order.objects.count() == 1


def test_another_plan_is_taken_while_the_order_runs(call: Call, plan: Plan) -> None:
    call("CreateAccount")
    large: Plan = PlanFactory(product=plan.product, slug="large")
    other = {"configoption1": f"{plan.product.slug}/large"}
    assert call("ChangePackage", **other) != "success", "it is being provisioned"
    Order.objects.update(state="active", activated_at=clock.now())
    assert call("ChangePackage", **other) == "success"
    assert Order.objects.get().plan == large
    assert "module settings" in call("ChangePackage", configoption1="")


def test_plans_are_offered_in_the_product_settings(call: Call, plan: Plan) -> None:
    assert call("PlanLoader") == {f"{plan.product.slug}/small": f"{plan.product.slug}: Small"}
    assert set(call("ConfigOptions")) == {"plan", "sandbox"}
    assert call("MetaData")["APIVersion"] == "1.1"


def test_refusal_names_the_custom_field_and_shows_no_json(call: Call) -> None:
    refused = call("CreateAccount", customfields={"live_title|Title": "x" * 61})
    assert refused.startswith("Geocat Live: live_title: ")
    assert "{" not in refused
    refused = call("CreateAccount", configoption1="none/small")
    assert refused == "Geocat Live: plan: There is no such plan of that product."
    assert not Order.objects.exists()


def test_wrong_password_and_silent_api_are_sentences_without_the_token(call: Call) -> None:
    refused = call("TestConnection", serveraccesshash="wrong-token-0123")
    assert refused["success"] is False
    assert "API token" in refused["error"]
    assert "wrong-token" not in refused["error"]
    for function in ("CreateAccount", "SuspendAccount", "TerminateAccount"):
        assert "cannot be reached" in call(function, serverport="9")
    assert call("ClientArea", serverport="9")["templateVariables"]["isAvailable"] is False
    assert "access hash" in call("CreateAccount", serveraccesshash="", serverpassword="")
    assert not Order.objects.exists()


def test_service_that_was_never_created_is_terminated_and_not_suspended(call: Call) -> None:
    assert call("TerminateAccount") == "success"
    assert call("SuspendAccount").startswith("Geocat Live: ")


def test_hooks_are_signed_as_we_check_them(
    live_server: LiveServer, transactional_db: None, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "a-secret-of-the-hooks-0123456789abcdef"
    monkeypatch.setattr(settings, "WHMCS_WEBHOOK_SECRET", secret)
    monkeypatch.setattr(settings, "WHMCS_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(settings, "WHMCS_IDENTIFIER", "i")
    monkeypatch.setattr(settings, "WHMCS_SECRET", "s")
    globals_ = {"geocatlive_url": live_server.url, "geocatlive_webhook_secret": secret}
    given = {"file": str(MODULE / "hooks.php"), "globals": globals_}
    php(hook="ClientEdit", params={"userid": 3}, **given)
    assert WhmcsSync.objects.get().client_id == 3
    php(
        hook="ClientEdit",
        params={"userid": 4},
        file=given["file"],
        globals={**globals_, "geocatlive_webhook_secret": "x" * 32},
    )
    assert WhmcsSync.objects.count() == 1
    for hook, params in (
        ("AfterClientMerge", {"fromUserID": 2, "toUserID": 3}),
        ("InvoicePaid", {"invoiceid": 9}),
        ("CancellationRequest", {"userid": 3, "relid": 7, "reason": "x", "type": "Immediate"}),
        ("ClientClose", {"userid": 3}),
        ("ClientAdd", {"client_id": 3}),
    ):
        php(hook=hook, params=params, **given)
