"""Names for what is built, and digests in place of builds: everything else of the compose file stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import CommandError, call_command

from products.adoption.pinning import PinningRefused, image_names, pin_images
from tests.products.conftest import COMPOSE, write_product

DIGEST = "@sha256:" + "a" * 64
TEXT = """\
# Maps for everyone
services:
  web:
    build:
      context: .
      args:
        DATA_DIR: /srv   # where data is
    # what the gateway asks
    healthcheck: {test: ["CMD", "true"]}
  cache:
    image: redis:7   # small
    restart: always

  own:
    build: ./own
    image: registry.example.org/own:1
    command: >
      one
      two
  chosen:
    image: postgis:${POSTGIS:-16}
# the end
volumes: {}
"""
LOCKS = {
    "services": {
        "web": {"image": f"registry/web:1{DIGEST}"},
        "cache": {"image": f"redis:7{DIGEST}"},
        "own": {"image": f"registry/own:1{DIGEST}"},
        "chosen": {"image": f"postgis:16{DIGEST}"},
    }
}


def test_what_is_built_gets_a_name() -> None:
    assert image_names(TEXT, prefix="registry/maps", tag="abc") == {
        "services": {"web": {"image": "registry/maps/web:abc"}, "own": {"image": "registry/maps/own:abc"}}
    }


def test_images_are_pinned_and_every_other_line_stays() -> None:
    pinned = pin_images(TEXT, LOCKS)
    assert pinned.left == ("chosen",)
    assert (
        pinned.text
        == f"""\
# Maps for everyone
services:
  web:
    image: registry/web:1{DIGEST}
    # what the gateway asks
    healthcheck: {{test: ["CMD", "true"]}}
  cache:
    image: redis:7{DIGEST}
    restart: always

  own:
    image: registry/own:1{DIGEST}
    command: >
      one
      two
  chosen:
    image: postgis:${{POSTGIS:-16}}
# the end
volumes: {{}}
"""
    )


def test_pinning_twice_changes_nothing() -> None:
    once = pin_images(TEXT, LOCKS).text
    assert pin_images(once, LOCKS).text == once


def test_image_without_a_digest_is_left() -> None:
    locks = {"services": {"cache": {"image": "redis:7"}}}
    assert pin_images(TEXT, locks) == pin_images(TEXT, {})
    assert pin_images(TEXT, {}).text == TEXT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("services: {web: {build: .}}", "services.web: write the service as a block"),
        ("x: &x {build: .}\nservices:\n  web:\n    <<: *x\n", "services.web: its image comes from a template"),
        ("services: none", "services: there are none."),
        ("services: [", "This is not valid YAML"),
    ],
)
def test_composition_that_cannot_be_edited_is_refused(text: str, reason: str) -> None:
    with pytest.raises(PinningRefused, match=reason.replace(".", r"\.")):
        pin_images(text, LOCKS)


def test_sample_product_can_be_pinned() -> None:
    text = Path(settings.BASE_DIR, "catalogue/products/sdi-lite/compose.yaml").read_text()
    names = yaml.safe_load(text)["services"]
    locks = {"services": {name: {"image": f"registry/{name}:1{DIGEST}"} for name in names}}
    pinned = pin_images(text, locks)
    services = yaml.safe_load(pinned.text)["services"]
    assert pinned.left == ()
    assert {name: service["image"] for name, service in services.items()} == {
        name: f"registry/{name}:1{DIGEST}" for name in names
    }
    assert not any("build" in service for service in services.values())
    for name, service in yaml.safe_load(text)["services"].items():
        assert {**service, "image": services[name]["image"]} | {"build": 0} == services[name] | {"build": 0}


def test_commands_name_and_pin_a_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_product(tmp_path)
    names, locks = tmp_path / "names", tmp_path / "locks"
    options = ("--registry", "registry.example.org/sdi", "--tag", "abc123")
    call_command("catalogue", "name", str(tmp_path), *options, "--into", str(names))
    named = yaml.safe_load((names / "maps.yaml").read_text())
    assert named == {"services": {"gateway": {"image": "registry.example.org/sdi/maps/gateway:abc123"}}}
    with pytest.raises(CommandError, match=r"maps\.yaml is missing"):
        call_command("catalogue", "pin", str(tmp_path), "--locks", str(locks))
    locks.mkdir()
    (locks / "maps.yaml").write_text(yaml.safe_dump({"services": {"gateway": {"image": f"r/maps:1{DIGEST}"}}}))
    call_command("catalogue", "pin", str(tmp_path), "--locks", str(locks))
    assert (folder / "compose.yaml").read_text() == COMPOSE.replace("build: .", f"image: r/maps:1{DIGEST}")
    assert "maps: pinned" in capsys.readouterr().out


def test_commands_need_a_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no products"):
        call_command("catalogue", "pin", str(tmp_path), "--locks", str(tmp_path))
