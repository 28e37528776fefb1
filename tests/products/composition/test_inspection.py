"""What the import says of a product's files taken together, and what `catalogue check` prints."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from products.adapters.compose.config import ComposeConfig
from products.composition.inspection import Inspection
from products.composition.problems import Problem
from products.source_check import check_folder
from tests.products.conftest import COMPOSE, MANIFEST, write_product

WEB = {"name": "web", "service": "web", "port": 80}


def inspect(
    files: dict[str, str], *, endpoints: list[dict[str, Any]] | None = None, is_trusted: bool = False
) -> list[Problem]:
    """What an inspection of these files finds."""
    values = {"product.yaml": b"", **{name: text.encode() for name, text in files.items()}}
    manifest = {"endpoints": endpoints or []}
    return Inspection(files=values, manifest=manifest, reader=ComposeConfig(), is_trusted=is_trusted).run()


def errors(files: dict[str, str], **options: Any) -> list[str]:
    """The same as sentences, without warnings."""
    return [str(problem) for problem in inspect(files, **options) if not problem.is_warning]


def warnings(compose: str) -> list[str]:
    """The warnings about a compose file alone."""
    return [str(problem) for problem in inspect({"compose.yaml": compose}) if problem.is_warning]


# --- More than one file ---------------------------------------------------------------------------------------------
BASE = "services: {base: {image: debian, restart: always}}\n"


def test_local_files_that_are_extended_and_included_are_one_composition() -> None:
    compose = (
        "include: [more/compose.yaml]\n"
        "services: {web: {extends: {file: shared/base.yaml, service: base}, depends_on: [extra]}}\n"
    )
    files = {
        "compose.yaml": compose,
        "shared/base.yaml": BASE,
        "more/compose.yaml": "services: {extra: {image: 'debian:12', env_file: [extra.env]}}\n",
        "more/extra.env": "A=1\n",
    }
    assert errors(files) == []


def test_what_an_extended_file_asks_is_judged_at_its_own_line() -> None:
    files = {
        "compose.yaml": "services: {web: {extends: {file: shared/base.yaml, service: base}}}\n",
        "shared/base.yaml": "services:\n  base:\n    image: debian\n    volumes: ['/${PLACE}']\n",
    }
    assert errors(files) == [
        "shared/base.yaml:4: services.base.volumes[0]: ${PLACE} is not allowed here: what reaches the server cannot "
        "depend on variables."
    ]


def test_privilege_through_an_extended_file_is_refused() -> None:
    files = {
        "compose.yaml": "services: {web: {extends: {file: base.yaml, service: base}}}\n",
        "base.yaml": "services: {base: {image: debian, privileged: true}}\n",
    }
    assert errors(files) == [
        "compose.yaml:1: services.web.privileged: a privileged container controls the whole server."
    ]


@pytest.mark.parametrize("merge", ["<<: *all", "<<: [*all]", "<<: {privileged: true}"])
def test_privilege_through_an_anchor_is_refused(merge: str) -> None:
    compose = f"x-all: &all {{privileged: true}}\nservices: {{web: {{image: debian, {merge}}}}}\n"
    (sentence,) = errors({"compose.yaml": compose})
    assert "services.web.privileged" in sentence


@pytest.mark.parametrize(
    ("compose", "sentence"),
    [
        ("services: {web: {extends: {file: gone.yaml, service: a}}}", "compose.yaml:1: services.web.extends.file: "),
        ("include: [gone.yaml]\nservices: {web: {image: debian}}", "compose.yaml:1: include[0]: "),
        ("services: {web: {image: debian, label_file: [gone]}}", "compose.yaml:1: services.web.label_file[0]: "),
        ("services: {web: {extends: gone}}", "compose.yaml:1: services.web"),
        ("services: {web: {image: debian, configs: [gone]}}", "compose.yaml:1: services.web.configs[0]: "),
        ("services: {web: {image: debian, secrets: [gone]}}", "compose.yaml:1: services.web.secrets[0]: "),
        (
            "services: {web: {image: debian, network_mode: 'service:gone'}}",
            "compose.yaml:1: services.web.network_mode: ",
        ),
        ("services: {web: {image: debian, volumes_from: [gone]}}", "compose.yaml:1: services.web.volumes_from[0]: "),
        ("services: {web: {image: debian, links: [gone]}}", "compose.yaml:1: services.web.links[0]: "),
        ("services: {web: {image: debian, depends_on: [web]}}", "compose.yaml:1: services.web: "),
        ("services: {web: {image: debian, mem_limit: much}}", "compose.yaml:1: services.web.mem_limit: "),
        ("services: {web: {image: debian, scale: many}}", "compose.yaml:1: services.web.scale: "),
        ("services: {web: {image: debian, colour: red}}", "compose.yaml:1: services.web.colour: "),
        ("services: {web: {image: 'debian:${'}}", "compose.yaml:1: services.web.image: "),
        ("services: {web: {restart: always}}", "compose.yaml:1: services.web: "),
        ("colour: red\nservices: {web: {image: debian}}", "compose.yaml:1: colour: "),
    ],
)
def test_what_compose_refuses_reaches_the_author_with_its_line(compose: str, sentence: str) -> None:
    found = errors({"compose.yaml": compose})
    assert found
    assert found[0].startswith(sentence), found


# --- The product's own files and endpoints --------------------------------------------------------------------------
FILES = """
services:
  web:
    build: web
    volumes: ["./site:/srv/site:ro"]
    configs: [conf]
configs: {conf: {file: ./conf/site.conf}}
"""


def test_files_that_the_product_has_are_found() -> None:
    here = {"web/Dockerfile": "FROM debian", "site/index.html": "", "conf/site.conf": ""}
    assert errors({"compose.yaml": FILES, **here}) == []
    assert errors({"compose.yaml": FILES}) == [
        "compose.yaml:4: services.web.build.context: “web” is not in the product's folder.",
        "compose.yaml:4: services.web.build.dockerfile: “web/Dockerfile” is not in the product's folder.",
        "compose.yaml:5: services.web.volumes[0]: “site” is not in the product's folder.",
        "compose.yaml:7: configs.conf.file: “conf/site.conf” is not in the product's folder.",
    ]


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ("{image: x, scale: 0}", "is never started"),
        ("{image: x, deploy: {replicas: 0}}", "is never started"),
        ("{image: x, profiles: [debug]}", "is never started"),
        ("{image: x, scale: 2}", "has 2 replicas"),
        ("{image: x, deploy: {replicas: 3}}", "has 3 replicas"),
        ("{image: x, network_mode: none}", "has no network of its own"),
        ("{image: x, network_mode: 'service:other'}", "has no network of its own"),
    ],
)
def test_endpoint_that_nothing_can_answer_is_refused(service: str, message: str) -> None:
    compose = f"services: {{web: {service}, other: {{image: x, restart: always}}}}\n"
    (sentence,) = errors({"compose.yaml": compose}, endpoints=[WEB])
    assert sentence.startswith("product.yaml: endpoints[0].service: “web” ")
    assert message in sentence


def test_endpoint_of_a_job_that_others_wait_for_is_refused() -> None:
    needs = "{image: x, depends_on: {web: {condition: service_completed_successfully}}}"
    (sentence,) = errors({"compose.yaml": f"services: {{web: {{image: x}}, other: {needs}}}\n"}, endpoints=[WEB])
    assert "has to end before other services start" in sentence


def test_several_replicas_behind_a_gateway_are_fine() -> None:
    compose = "services: {web: {image: 'x:1'}, worker: {image: 'x:1', scale: 3}}\n"
    assert errors({"compose.yaml": compose}, endpoints=[WEB]) == []


# --- Warnings -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ("image: debian", "services.web.image: “debian” may be another image tomorrow; name a version."),
        ("image: 'r.example:5000/a:latest'", "services.web.image: “r.example:5000/a:latest” may be another image"),
        ("volumes: [/data]", "services.web.volumes[0]: a volume without a name"),
        ("ports: ['80:80']", "services.web.ports: published ports are ignored"),
        ("profiles: [debug]", "services.web: this service is never started"),
        ("restart: always", "services.web: this service has no healthcheck"),
        ("environment: {DB_PASSWORD: change-me}", "services.web.environment.DB_PASSWORD: “DB_PASSWORD” is the same"),
        ("environment: [API_TOKEN=abc]", "services.web.environment.API_TOKEN: “API_TOKEN” is the same"),
    ],
)
def test_what_may_go_wrong_is_a_warning(settings: str, warning: str) -> None:
    image = "" if settings.startswith("image") else "    image: x:1\n"
    found = warnings(f"services:\n  web:\n{image}    {settings}\n")
    assert any(warning in sentence for sentence in found), found


def test_careful_composition_has_no_warnings() -> None:
    check = "healthcheck: {test: [CMD, 'true']}"
    secret = "environment: {DB_PASSWORD: '${LIVE_ORDER}', SECRET_FILE: /run/secrets/a, TOKEN_TTL: 60}"
    assert warnings(f"services: {{web: {{image: 'x:1', restart: always, {check}, {secret}}}}}\n") == []


# --- The command ----------------------------------------------------------------------------------------------------
def check(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[list[str], str]:
    """The lines that `catalogue check` prints, and why it fails."""
    try:
        call_command("catalogue", "check", str(path), *options)
    except CommandError as error:
        return capsys.readouterr().out.splitlines(), str(error)
    return capsys.readouterr().out.splitlines(), ""


def test_check_prints_all_problems_of_a_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_product(tmp_path, compose=COMPOSE.replace("build: .", "build: .\n    privileged: true"))
    write_product(tmp_path, "more", manifest=MANIFEST.replace('"49.00"', "cheap"), compose="services: [")
    lines, summary = check(tmp_path, capsys)
    root = tmp_path / "products"
    assert [line.split(": ")[0] for line in lines if not line.startswith("warning")] == [
        f"{root}/maps/compose.yaml:4",
        f"{root}/more/compose.yaml:1",
        f"{root}/more/product.yaml:17",
    ]
    assert summary.startswith("2 products: 3 errors, ")


def test_check_takes_the_folder_of_one_product(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_product(tmp_path).rename(tmp_path / "Any_Name")
    lines, summary = check(folder, capsys)
    assert (summary, lines[-1]) == ("", "1 product: 0 errors, 1 warning.")
    (folder / "compose.yaml").write_text("services: {gateway: {image: 'x:1', privileged: true}}")
    assert check(folder, capsys)[1].startswith("1 product: 1 error, ")
    assert check(folder, capsys, "--trusted")[1] == ""


def test_check_of_a_folder_without_products_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "holds no product" in check(tmp_path, capsys)[1]
    assert "holds no product" in check(tmp_path / "gone", capsys)[1]


def test_sample_catalogue_has_neither_errors_nor_warnings() -> None:
    for folder, checked in check_folder(Path(__file__).parents[3] / "catalogue").items():
        assert (checked.errors, checked.warnings) == ((), ()), folder
        assert checked.manifest["endpoints"]


# --- Files that are made to hurt ------------------------------------------------------------------------------------
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{former}'] * 9)}]\n" for former, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("name", ["product.yaml", "compose.yaml"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB.encode(), "more than 50000 values once its aliases are written out"),
        (b"a: &a [*a]", "an alias stands for itself"),
        (b"x" * 300_000, "larger than 256 kB"),
        (b"x" * 10_000_000, "larger than 8 MB"),
        (b"name: caf\xe9", "is not text in UTF-8"),
        (b"name: " + b"9" * 5000, "a number is too long"),
        (b"[" * 20_000, "not valid YAML"),
    ],
)
def test_file_that_is_made_to_hurt_is_refused_quickly(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    folder = write_product(tmp_path)
    (folder / name).write_bytes(content)
    start = time.monotonic()
    (checked,) = check_folder(folder).values()
    assert message in "\n".join(map(str, checked.errors))
    assert time.monotonic() - start < 15


def test_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = write_product(tmp_path)
    os.symlink("/etc/passwd", folder / "settings.env")
    (checked,) = check_folder(folder).values()
    assert "settings.env is not a plain file" in "\n".join(map(str, checked.errors))
