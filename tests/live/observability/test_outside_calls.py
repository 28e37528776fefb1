"""Every adapter's calls are timed where its errors are translated: one that worked, and one that failed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import responses
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from core.call_times.counting import take_counts
from core.call_times.store import store_call_times
from core.errors import OutsideError
from core.outside import webhook_post
from core.outside.address_guard import EXCEPT_METADATA
from core.outside.http_check import HttpCheck, check_all
from core.outside.webhook_post import WebhookTarget, new_secret
from customers.mail import Letter, Postbox
from customers.vat_checks.vies import Vies
from customers.whmcs.client import WhmcsClient
from infrastructure.adapters.docker.engine import DockerEngine
from infrastructure.adapters.libcloud.cloud import LibcloudCloud
from infrastructure.adapters.ssh.client import SshTarget, run
from infrastructure.adapters.ssh.keys import new_key_pair
from infrastructure.models import Provider
from infrastructure.sandbox.driver import SandboxNodeDriver
from infrastructure.sandbox.models import SandboxSwitches
from monitoring.adapters.zabbix.client import ZabbixClient
from products.adapters.git.catalogue import GitCatalogue
from products.adapters.gitlab.client import GitLabClient
from tests.core.outside.raw_server import response, serving_raw
from tests.infrastructure.adapters.libcloud.test_cloud import TableDriver
from tests.live.observability.test_metrics import TOKEN, read

pytestmark = pytest.mark.django_db

URL = "https://outside.example"


@pytest.fixture(autouse=True)
def _token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> Iterator[None]:
    take_counts()
    yield
    take_counts()


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    """What outside systems answer; nothing is reached."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def calls(client: Client) -> dict[tuple[str, ...], float]:
    """The calls by system and outcome as Prometheus reads them, once they are stored. Labels go by the alphabet."""
    store_call_times()
    samples = read(client)
    counted = {key[:0:-1]: value for key, value in samples.items() if key[0] == "live_outside_seconds_count"}
    errors = {key[:0:-1]: value for key, value in samples.items() if key[0] == "live_outside_errors_total"}
    failed = {key: value for key, value in counted.items() if key[1] != "ok"}
    assert {key: value for key, value in errors.items() if value} == failed
    return counted


def refused(call: Any) -> None:
    """The call raises one of our errors."""
    with pytest.raises(OutsideError):
        call()


def test_cloud(client: Client) -> None:
    driver = TableDriver()
    cloud = LibcloudCloud(driver=driver, image_id="debian-12")
    cloud.list_servers()
    driver.fails["list_nodes"] = requests.ConnectionError("no route")
    refused(cloud.list_servers)
    assert calls(client) == {("cloud", "ok"): 1, ("cloud", "transient"): 1}


def test_sandbox_is_not_counted_as_a_cloud(client: Client) -> None:
    provider = Provider.objects.create(slug="s", name="S", kind=Provider.Kind.SANDBOX)
    cloud = LibcloudCloud(driver=SandboxNodeDriver(provider.pk), image_id="debian-12")
    cloud.list_servers()
    SandboxSwitches.objects.filter(provider=provider).update(is_down=True)
    refused(cloud.list_servers)
    assert calls(client) == {("sandbox", "ok"): 1, ("sandbox", "transient"): 1}


def test_docker(client: Client, wire: responses.RequestsMock) -> None:
    wire.get("http://docker.test:2375/version", json={"ApiVersion": "1.41", "Version": "20.10.24"})
    wire.get("http://docker.test:2375/v1.41/version", json={"ApiVersion": "1.41", "Version": "20.10.24"})
    DockerEngine(host="tcp://docker.test:2375").version()
    refused(DockerEngine(host="unix:///nowhere/docker.sock").version)
    assert calls(client) == {("docker", "ok"): 1, ("docker", "transient"): 1}


def test_ssh(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ssh"
    program.write_text("#!/bin/sh\necho done\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    keys = new_key_pair("tests")
    target = SshTarget(address="198.51.100.7", private_key=keys.private, host_key=keys.public)
    assert run(target, "true", timeout=10) == "done\n"
    program.write_text("#!/bin/sh\necho 'Permission denied (publickey).' >&2\nexit 255\n")
    refused(lambda: run(target, "true", timeout=10))
    assert calls(client) == {("ssh", "ok"): 1, ("ssh", "configuration"): 1}


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_endpoints_of_orders(client: Client) -> None:
    with serving_raw({"/": response(b"Maps")}) as port:
        check_all([HttpCheck(url=f"http://127.0.0.1:{port}{path}", max_seconds=5) for path in ("/", "/", "/missing")])
    assert calls(client) == {("endpoints", "ok"): 2, ("endpoints", "transient"): 1}


def test_zabbix(client: Client, wire: responses.RequestsMock) -> None:
    api = f"{URL}/zabbix/api_jsonrpc.php"
    wire.post(api, json={"jsonrpc": "2.0", "id": 1, "result": "7.0.0"})
    zabbix = ZabbixClient(f"{URL}/zabbix", token="t")
    zabbix.call("host.get", {})
    wire.replace(responses.POST, api, json={"error": {"code": -32602, "message": "Bad", "data": "Invalid"}, "id": 1})
    refused(lambda: zabbix.call("host.get", {}))
    assert calls(client) == {("zabbix", "ok"): 2, ("zabbix", "permanent"): 1}  # signing in is a call, too


def test_gitlab(client: Client, wire: responses.RequestsMock) -> None:
    wire.get(f"{URL}/api/v4/projects/sdi%2Fcatalogue", json={"id": 1, "default_branch": "main"})
    wire.get(f"{URL}/api/v4/projects/1/repository/branches/main", status=401, json={"message": "401 Unauthorized"})
    gitlab = GitLabClient(url=URL, project="sdi/catalogue", token="t")
    assert gitlab.default_branch() == "main"
    refused(lambda: gitlab.head("main"))
    assert calls(client) == {("gitlab", "ok"): 1, ("gitlab", "configuration"): 1}


def test_git(client: Client, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "catalogue.git")], check=True)
    refused(GitCatalogue(str(tmp_path / "catalogue.git")).read)  # git answered that it is empty
    refused(GitCatalogue(str(tmp_path / "missing.git")).read)
    assert calls(client) == {("git", "ok"): 1, ("git", "configuration"): 1}


def test_whmcs(client: Client, wire: responses.RequestsMock) -> None:
    api = f"{URL}/includes/api.php"
    whmcs = WhmcsClient(url=URL, identifier="i", secret="s")
    wire.post(api, json={"result": "success", "whmcs": {"version": "8.13"}})
    assert whmcs.version() == "8.13"
    wire.replace(responses.POST, api, json={"result": "error", "message": "Client Not Found"})
    refused(lambda: whmcs.client_details(9))
    wire.replace(responses.POST, api, json={"result": "error", "message": "Invalid IP 192.0.2.1"})
    refused(whmcs.version)
    assert calls(client) == {("whmcs", "ok"): 2, ("whmcs", "configuration"): 1}  # "not found" is an answer


def test_vies(client: Client, wire: responses.RequestsMock) -> None:
    wire.post(f"{URL}/check-vat-number", json={"valid": True})
    assert Vies(url=URL).check("BE0428759497").is_valid
    wire.replace(responses.POST, f"{URL}/check-vat-number", status=503)
    refused(lambda: Vies(url=URL).check("BE0428759497"))
    assert calls(client) == {("vies", "ok"): 1, ("vies", "transient"): 1}


def test_mail(client: Client) -> None:
    letter = Letter(message_id="<1@x>", sender="live@x.example", to=("gis@x.example",), subject="s", text="t")
    Postbox(EmailBackend()).send(letter)

    def broken(_mails: object) -> None:
        raise ConnectionResetError

    away: Any = SimpleNamespace(send_messages=broken)
    refused(lambda: Postbox(away).send(letter))
    assert calls(client) == {("smtp", "ok"): 1, ("smtp", "transient"): 1}


def test_webhooks(client: Client, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_post, "guarded_session", lambda _guard: requests.Session())
    target = WebhookTarget(url=f"{URL}/hook", secrets=(new_secret(),), guard=EXCEPT_METADATA)
    for status in (204, 410, 500):
        wire.upsert(responses.POST, f"{URL}/hook", status=status)
        target.post(message_id="m", body="{}", at=datetime(2026, 6, 1, tzinfo=UTC))
    wire.upsert(responses.POST, f"{URL}/hook", body=requests.ConnectionError())
    refused(lambda: target.post(message_id="m", body="{}", at=datetime(2026, 6, 1, tzinfo=UTC)))
    assert calls(client) == {("webhook", "ok"): 1, ("webhook", "permanent"): 1, ("webhook", "transient"): 2}
