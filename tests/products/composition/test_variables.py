"""Which variables a composition may use, and where."""

from __future__ import annotations

from typing import Any

import pytest

from products.adapters.compose.config import ComposeConfig
from products.composition.inspection import Inspection
from products.composition.variables import Variable, is_reserved, variables_in
from products.contracts import ComposeModel, ComposeReader, ComposeRefused

INPUTS = [
    {"key": "place", "label": "Folder", "type": "string", "default": "etc:/host:ro"},
    {"key": "title", "label": "Title", "type": "string"},
    {"key": "about", "label": "About", "type": "text", "required": True},
    {"key": "version", "label": "Version", "type": "choice", "choices": [{"value": "1.0", "label": "1.0"}]},
    {"key": "workers", "label": "Workers", "type": "integer", "default": 2, "min": 1, "max": 4},
    {"key": "debug", "label": "Debug", "type": "boolean", "default": False},
    {"key": "contact", "label": "Contact", "type": "email", "required": True},
]
SECRETS = [{"key": "password", "label": "Password"}]


class NoCompose:
    """Has nothing to say: the text alone is judged."""

    def read(self, *_files: object, **_options: object) -> ComposeModel:
        """No model."""
        raise ComposeRefused("nothing was asked")


def problems(compose: str, reader: ComposeReader | None = None, **files: str) -> list[str]:
    """What is wrong with the composition of a product with these inputs; file names have `_` for the dot."""
    values = {"compose.yaml": compose.encode(), "product.yaml": b""}
    values |= {name.replace("_", "."): text.encode() for name, text in files.items()}
    manifest: dict[str, Any] = {"inputs": INPUTS, "secrets": SECRETS}
    found = Inspection(files=values, manifest=manifest, reader=reader or ComposeConfig()).run()
    return [str(problem) for problem in found if not problem.is_warning]


def of_service(lines: str, reader: ComposeReader | None = None, **files: str) -> list[str]:
    """The same for one service with these settings, on line 4."""
    first = "restart: always" if lines.startswith("image") else "image: debian"
    return problems(f"services:\n  web:\n    {first}\n    {lines}\nvolumes: {{data: }}\n", reader, **files)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", []),
        ("$$HOME $${HOME} costs $$", []),
        ("$A-${B}", ["A", "B"]),
        ("${A:-${B:-$C}}", ["A", "B", "C"]),
        ("${A:+x}${B?needed}$$${C}", ["A", "B", "C"]),
        ("${A", ["A"]),
        ("$", []),
        ("${} ${1} $1", []),
    ],
)
def test_every_variable_of_a_text_is_found(text: str, expected: list[str]) -> None:
    assert [variable.name for variable in variables_in(text)] == expected


@pytest.mark.parametrize(
    ("text", "has_fallback"),
    [("${A}", False), ("${A:-b}", True), ("${A-}", True), ("${A:+b}", True), ("${A:?b}", False), ("${A?b}", False)],
)
def test_default_is_known_from_a_demand(text: str, has_fallback: bool) -> None:
    (variable,) = variables_in(text)
    assert variable.has_fallback is has_fallback
    assert isinstance(variable, Variable)


@pytest.mark.parametrize(
    "lines",
    [
        'volumes: ["/${PLACE}"]',
        'volumes: ["${PLACE}:/d"]',
        'volumes: ["data:/${PLACE}"]',
        'volumes: ["data:/d:$DEBUG"]',
        'volumes: ["data:/d${TITLE:+,ro}"]',
        'volumes: ["${UNKNOWN:-data}:/d"]',
        'volumes: [{type: "${PLACE}", source: data, target: /d}]',
        'volumes: [{type: volume, source: "${VERSION}", target: /d}]',
        'volumes: [{type: volume, source: data, target: /d, volume: {subpath: "${PLACE}"}}]',
        'tmpfs: ["/${PLACE}"]',
        'volumes_from: ["${PLACE}"]',
        'network_mode: "${PLACE}"',
        'network_mode: "service:${VERSION}"',
        'pid: "${PLACE:-host}"',
        'ipc: "${PLACE}"',
        'uts: "${DEBUG}"',
        'userns_mode: "${PLACE}"',
        'cgroup: "${PLACE}"',
        'cgroup_parent: "${PLACE}"',
        'runtime: "${PLACE}"',
        'privileged: "${DEBUG}"',
        'devices: ["${PLACE}:/dev/x"]',
        'device_cgroup_rules: ["${PLACE}"]',
        'cap_add: ["${VERSION}"]',
        'security_opt: ["${PLACE}"]',
        'sysctls: {net.core.somaxconn: "${PLACE}"}',
        'container_name: "a${PLACE}"',
        'extra_hosts: ["a:${PLACE}"]',
        'external_links: ["${PLACE}"]',
        'links: ["${PLACE}"]',
        'env_file: ["${PLACE}"]',
        'label_file: ["${PLACE}"]',
        'labels: ["${PLACE}"]',
        'labels: ["${PLACE}=1"]',
        'labels: ["live.${VERSION}=1"]',
        'environment: ["${PLACE}=1"]',
        'build: "./${PLACE}"',
        'build: {context: "${VERSION}"}',
        'build: {context: ., dockerfile: "${VERSION}"}',
        'build: {context: ., labels: ["${PLACE}"]}',
        'build: {context: ., additional_contexts: {a: "${PLACE}"}}',
        'build: {context: ., network: "${PLACE}"}',
        'build: {context: ., dockerfile_inline: "FROM ${TITLE}"}',
        'logging: {driver: "${PLACE}"}',
        'image: "debian:${TITLE}"',
        'image: "debian:${PASSWORD}"',
        'user: "${TITLE}"',
        'mem_limit: "${TITLE}"',
        'scale: "${WORKERS}"',
        'deploy: {replicas: "${WORKERS}"}',
        'deploy: {resources: {reservations: {devices: [{capabilities: ["${VERSION}"]}]}}}',
        'profiles: ["${VERSION}"]',
        'secrets: ["${PLACE}"]',
        'configs: [{source: "${PLACE}"}]',
        'credential_spec: {file: "${PLACE}"}',
        'annotations: {a: "${PLACE}"}',
        'provider: {type: "${PLACE}"}',
        'develop: {watch: [{path: "${PLACE}", action: sync, target: /x}]}',
        'post_start: [{command: [id], user: "${PLACE}"}]',
        'networks: {default: {ipv4_address: "${PLACE}"}}',
        "command: serve --title ${TITLE}",
        "entrypoint: /start ${ABOUT}",
    ],
)
def test_variable_that_could_reach_the_host_is_refused_with_its_line(lines: str) -> None:
    found = of_service(lines, NoCompose())
    assert any(problem.startswith(f"compose.yaml:4: services.web.{lines.split(':')[0]}") for problem in found), found


@pytest.mark.parametrize(
    "top",
    [
        'networks: {front: {driver: "${PLACE}"}}',
        'networks: {front: {name: "${PLACE}"}}',
        'networks: {"front": {external: "${DEBUG}"}}',
        'networks: {front: {driver_opts: {com.docker.network.driver.mtu: "${PLACE}"}}}',
        'networks: {front: {ipam: {config: [{subnet: "${PLACE}"}]}}}',
        'networks: {front: {labels: ["${PLACE}"]}}',
        'volumes: {data: {name: "${PLACE}"}}',
        'volumes: {data: {driver: "${PLACE}"}}',
        'volumes: {data: {driver_opts: {type: none, o: bind, device: "/${PLACE}"}}}',
        'volumes: {data: {labels: ["${PLACE}"]}}',
        'configs: {site: {file: "./${PLACE}"}}',
        'configs: {site: {name: "${PLACE}", content: a}}',
        'secrets: {key: {file: "${VERSION}"}}',
        'secrets: {key: {environment: "${PLACE}"}}',
    ],
)
def test_variable_in_what_a_composition_declares_is_refused(top: str) -> None:
    found = problems(f"services: {{web: {{image: debian}}}}\n{top}\n", NoCompose())
    assert any(problem.startswith(f"compose.yaml:2: {top.split(':')[0]}.") for problem in found), found


@pytest.mark.parametrize(
    "lines",
    [
        'environment: ["TITLE=${TITLE}", PASSWORD, LIVE_ORDER, "A=${UNKNOWN:-b}", LIVE_SERVICE]',
        'environment: {TITLE: "${TITLE:-My map}", PASSWORD: , WORKERS: "${WORKERS}"}',
        'command: [serve, "--title", "${TITLE}", "--about=${ABOUT}"]',
        "command: serve --workers ${WORKERS} --password ${PASSWORD} --at ${LIVE_DOMAIN}",
        'healthcheck: {test: ["CMD", "check", "${TITLE}"], interval: "${WORKERS}s"}',
        'labels: ["title=${TITLE}"]',
        'labels: {title: "${TITLE}"}',
        'hostname: "h-${LIVE_ORDER}"',
        'image: "debian:${VERSION}"',
        'image: "debian:${TAG:-bookworm-slim}"',
        'mem_limit: "${WORKERS}g"',
        'deploy: {replicas: "${UNKNOWN:-1}", resources: {limits: {cpus: "${WORKERS}"}}}',
        'ports: ["${PORT:-8080}:80"]',
        'build: {context: ., args: {TITLE: "${TITLE}"}, target: "${TARGET:-web}", dockerfile_inline: FROM debian}',
    ],
)
def test_variable_that_only_the_container_reads_is_fine(lines: str) -> None:
    assert of_service(lines) == []


def test_content_of_a_config_may_hold_what_a_customer_types() -> None:
    text = 'services: {web: {image: debian, configs: [site]}}\nconfigs: {site: {content: "<h1>${TITLE}</h1>"}}\n'
    assert problems(text) == []


@pytest.mark.parametrize(
    ("lines", "name", "place"),
    [
        ('environment: {A: "${NOBODY}"}', "${NOBODY}", "environment.A"),
        ('environment: ["A=$NOBODY"]', "${NOBODY}", "environment[0]"),
        ('environment: {A: "${TITLE:-${NOBODY}}"}', "${NOBODY}", "environment.A"),
        ('environment: {A: "${NOBODY:?say who}"}', "${NOBODY}", "environment.A"),
        ("environment: [NOBODY]", "“NOBODY”", "environment[0]"),
        ("environment: {NOBODY: }", "“NOBODY”", "environment.NOBODY"),
        ("build: {context: ., args: [NOBODY]}", "“NOBODY”", "build.args[0]"),
        ('image: "maps:${NOBODY}"', "${NOBODY}", "image"),
        ('command: ["$NOBODY"]', "${NOBODY}", "command[0]"),
    ],
)
def test_variable_that_nothing_fills_is_named_with_its_place(lines: str, name: str, place: str) -> None:
    found = of_service(lines, Dockerfile="FROM debian")
    assert [problem for problem in found if f"compose.yaml:4: services.web.{place}: nothing fills {name}" in problem]


def test_secret_from_a_variable_that_nothing_fills_is_named() -> None:
    text = "services: {web: {image: debian, secrets: [key]}}\nsecrets: {key: {environment: NOBODY}}\n"
    assert problems(text)[0].startswith("compose.yaml:2: secrets.key.environment: nothing fills “NOBODY”")


def test_variable_in_a_file_with_settings_has_to_be_filled_too() -> None:
    assert of_service("env_file: [settings.env]", settings_env="A=${TITLE}\n") == []
    (problem,) = of_service("env_file: [settings.env]", settings_env="A=${NOBODY}\n")
    assert problem.startswith("settings.env: nothing fills ${NOBODY}")


@pytest.mark.parametrize("name", ["HOME", "PATH", "COMPOSE_PROFILES", "DOCKER_HOST"])
def test_variable_of_the_platforms_own_programs_is_no_value_even_with_a_default(name: str) -> None:
    (problem,) = of_service(f'environment: {{A: "${{{name}:-x}}"}}')
    assert f"${{{name}}} is read by programs" in problem


def test_order_that_leaves_an_input_empty_can_be_launched_too() -> None:
    (problem,) = of_service('environment: {A: "${TITLE:?a title, please}"}')
    assert "with inputs left empty" in problem
    assert "a title, please" in problem
    assert of_service('environment: {A: "${ABOUT:?say something}"}') == []


@pytest.mark.parametrize("name", ["PATH", "HOME", "LD_PRELOAD", "COMPOSE_FILE", "DOCKER_HOST", "HTTP_PROXY", "IFS"])
def test_name_that_programs_read_is_reserved(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["TITLE", "TZ", "LANG", "CONTACT_EMAIL", "PATHS", "HOMEPAGE", "PGDATA"])
def test_name_that_only_products_read_is_not(name: str) -> None:
    assert not is_reserved(name)
