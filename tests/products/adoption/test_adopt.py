"""A product folder is made of a compose file that was written for a single installation."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from products.adoption.adopt import Adoption, AdoptionRefused, adopt_composition
from products.source_check import check_folder

SAMPLES = Path(__file__).parent / "samples"


def copy_sample(name: str, tmp_path: Path) -> Path:
    """The sample's compose file in a folder of its own; its `env` is called `.env` there."""
    folder = tmp_path / "before" / name
    shutil.copytree(SAMPLES / name, folder)
    if (folder / "env").exists():
        (folder / "env").rename(folder / ".env")
    return folder / "compose.yaml"


def adopt(name: str, tmp_path: Path) -> tuple[Adoption, dict[str, Any], dict[str, Any]]:
    """What adoption says, the new composition and the new manifest."""
    adoption = adopt_composition(copy_sample(name, tmp_path), tmp_path / name)
    compose = yaml.safe_load((adoption.folder / "compose.yaml").read_text())
    return adoption, compose, yaml.safe_load((adoption.folder / "product.yaml").read_text())


def adopt_text(tmp_path: Path, compose: str, env: str = "") -> tuple[Adoption, dict[str, Any], dict[str, Any]]:
    """The same of a compose file that is written in the test."""
    folder = tmp_path / "before"
    folder.mkdir()
    (folder / "compose.yaml").write_text(compose)
    (folder / ".env").write_text(env)
    adoption = adopt_composition(folder / "compose.yaml", tmp_path / "after")
    new = yaml.safe_load((adoption.folder / "compose.yaml").read_text())
    return adoption, new, yaml.safe_load((adoption.folder / "product.yaml").read_text())


def errors_in(folder: Path) -> list[str]:
    """The errors of `catalogue check`."""
    return [str(problem) for checked in check_folder(folder).values() for problem in checked.errors]


@pytest.mark.parametrize("name", ["geonetwork", "kartoza", "geonode", "geoserver"])
def test_adopted_product_passes_the_check(name: str, tmp_path: Path) -> None:
    adoption, _compose, _manifest = adopt(name, tmp_path)
    assert errors_in(adoption.folder) == []


def test_what_cannot_be_changed_by_rule_is_left_to_the_check(tmp_path: Path) -> None:
    adoption, _compose, manifest = adopt("georchestra", tmp_path)
    (error,) = errors_in(adoption.folder)
    assert "services.traefik.privileged: a privileged container controls the whole server" in error
    assert any("docker.sock was removed, as it would control the whole server" in line for line in adoption.to_do)
    assert any("../datadir holds configuration" in line for line in adoption.to_do)
    assert [(each["name"], each["port"]) for each in manifest["endpoints"]] == [("gateway", 8080), ("traefik", 80)]
    assert (adoption.folder / "config/gateway/gateway.yaml").is_file()
    assert (adoption.folder / "secrets/geoserver.txt").is_file()


def test_fixed_names_are_dropped(tmp_path: Path) -> None:
    _adoption, compose, _manifest = adopt("geonetwork", tmp_path)
    assert compose.keys() == {"services", "volumes"}
    assert compose["volumes"] == {"records": None, "index": None, "db": None}
    assert "container_name" not in compose["services"]["geonetwork"]
    assert compose["services"]["geonetwork"]["expose"] == ["8080"]


def test_endpoint_of_a_server_that_is_recognised_asks_the_server_itself(tmp_path: Path) -> None:
    _adoption, _compose, manifest = adopt("geonetwork", tmp_path)
    (endpoint,) = manifest["endpoints"]
    assert (endpoint["application"], endpoint["service"], endpoint["port"]) == ("GeoNetwork", "geonetwork", 8080)
    assert "GetCapabilities" in endpoint["check"]["path"]


def test_endpoint_asks_what_the_health_check_asks(tmp_path: Path) -> None:
    text = (
        "services: {web: {image: 'x:1', ports: ['80:3000'], healthcheck: {test: 'wget -q http://localhost:3000/up'}}}"
    )
    _adoption, _compose, manifest = adopt_text(tmp_path, text)
    assert manifest["endpoints"][0]["check"] == {"path": "/up"}


def test_passwords_with_one_value_become_one_secret(tmp_path: Path) -> None:
    _adoption, compose, manifest = adopt("kartoza", tmp_path)
    environment = compose["services"]["geoserver"]["environment"]
    assert environment["DB_PASSWORD"] == "${POSTGRES_PASS}"
    assert compose["services"]["db"]["environment"]["POSTGRES_PASS"] == "${POSTGRES_PASS}"
    assert [secret["key"] for secret in manifest["secrets"]] == ["geoserver_admin_password", "postgres_pass"]


def test_password_in_a_url_is_the_generated_one(tmp_path: Path) -> None:
    _adoption, compose, _manifest = adopt("geonode", tmp_path)
    environment = compose["services"]["django"]["environment"]
    assert environment["DATABASE_URL"] == "postgis://geonode:${GEONODE_DATABASE_PASSWORD}@db:5432/geonode"
    assert environment["GEODATABASE_URL"] == "postgis://geonode:${GEONODE_DATABASE_PASSWORD}@db:5432/geodata"
    assert environment["SITEURL"] == "http://${LIVE_DOMAIN}/"


def test_no_old_password_is_left_in_the_product(tmp_path: Path) -> None:
    adoption, _compose, _manifest = adopt("geonode", tmp_path)
    text = "".join(path.read_text() for path in adoption.folder.rglob("*") if path.is_file())
    assert "myv-y4#7j" not in text
    assert "rCnp5txobUo83" not in text
    assert not (adoption.folder / ".env").exists()


def test_variables_become_inputs_and_defaults(tmp_path: Path) -> None:
    _adoption, compose, manifest = adopt("kartoza", tmp_path)
    assert manifest["inputs"] == [{"key": "site_name", "label": "Site name", "type": "string", "default": "Our maps"}]
    assert compose["services"]["db"]["image"] == "kartoza/postgis:${POSTGIS_VERSION_TAG:-16-3.4}"
    assert compose["services"]["geoserver"]["environment"]["GEOSERVER_ADMIN_USER"] == "${GEOSERVER_ADMIN_USER:-admin}"


def test_value_is_written_out_where_no_variable_is_allowed(tmp_path: Path) -> None:
    text = "services: {web: {image: 'x:1', cap_drop: ['$CAP'], expose: [80], environment: {A: '${HOME}'}}}"
    _adoption, compose, _manifest = adopt_text(tmp_path, text, "CAP=ALL\nHOME=/srv\n")
    assert compose["services"]["web"]["cap_drop"] == ["ALL"]
    assert compose["services"]["web"]["environment"]["A"] == "/srv"


def test_own_files_are_mounted_read_only_and_data_goes_into_volumes(tmp_path: Path) -> None:
    adoption, compose, _manifest = adopt("kartoza", tmp_path)
    assert "./setup-db.sh:/docker-entrypoint-initdb.d/setup-db.sh:ro" in compose["services"]["db"]["volumes"]
    assert "geoserver-logs:/opt/geoserver/logs" in compose["services"]["geoserver"]["volumes"]
    assert compose["volumes"]["geoserver-data"] is None
    assert (adoption.folder / "setup-db.sh").is_file()


def test_words_that_yaml_1_1_reads_as_values_stay_text(tmp_path: Path) -> None:
    text = "services: {web: {image: 'x:1', restart: no, expose: [80], environment: {A: yes, B: 22:22, C: true}}}"
    _adoption, compose, _manifest = adopt_text(tmp_path, text)
    assert compose["services"]["web"]["restart"] == "no"
    assert compose["services"]["web"]["environment"] == {"A": "yes", "B": "22:22", "C": "true"}


def test_job_that_others_wait_for_is_not_restarted(tmp_path: Path) -> None:
    text = """
services:
  load: {image: "x:1"}
  web: {image: "x:1", expose: [80], depends_on: {load: {condition: service_completed_successfully}}}
"""
    _adoption, compose, _manifest = adopt_text(tmp_path, text)
    assert "restart" not in compose["services"]["load"]
    assert compose["services"]["web"]["restart"] == "unless-stopped"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not valid YAML"),
        ("just text", "no services"),
        ("services: {web: 1}", "not a mapping of settings"),
        ("services: {web: {image: !include x}}", "tags such as"),
        ("x-a: &a [*a]\nservices: {}", "alias"),
    ],
)
def test_file_that_is_no_composition_is_refused_and_nothing_written(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AdoptionRefused, match=message):
        adopt_text(tmp_path, text)
    assert not (tmp_path / "after").exists()


def test_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "geoserver").mkdir()
    (tmp_path / "geoserver" / "mine.txt").write_text("mine")
    with pytest.raises(AdoptionRefused, match="not an empty folder"):
        adopt("geoserver", tmp_path)


def test_link_that_leads_elsewhere_is_not_copied(tmp_path: Path) -> None:
    compose_file = copy_sample("kartoza", tmp_path)
    (compose_file.parent / "setup-db.sh").unlink()
    (compose_file.parent / "setup-db.sh").symlink_to("/etc/passwd")
    adoption = adopt_composition(compose_file, tmp_path / "after")
    assert not (adoption.folder / "setup-db.sh").exists()
    assert "setup-db.sh is a link or a device and was not copied." in adoption.to_do


def test_fresh_config_repo_gets_the_product_in_its_folder_of_products(tmp_path: Path) -> None:
    (tmp_path / "config-repo" / ".git").mkdir(parents=True)
    adoption = adopt_composition(copy_sample("geonode", tmp_path), tmp_path / "config-repo")
    assert adoption.folder == tmp_path / "config-repo/products/geonode"


def test_command_says_what_was_changed_and_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "catalogue" / "products").mkdir(parents=True)
    texts = StringIO()
    call_command("catalogue", "adopt", copy_sample("geonode", tmp_path), into=tmp_path / "catalogue", stdout=texts)
    assert "“container_name” was removed" in texts.getvalue()
    assert "Left to do:\n" in texts.getvalue()
    assert "1 product: 0 errors, 2 warnings." in texts.getvalue()
    assert (tmp_path / "catalogue" / "products" / "geonode" / "product.yaml").is_file()


def test_command_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("catalogue", "adopt", tmp_path / "compose.yaml", into=tmp_path / "new")
