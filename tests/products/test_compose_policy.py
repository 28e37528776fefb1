"""What a composition may not ask of the server it runs on."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.conf import settings

from products.compose_policy import find_violations
from products.composition.text import CompositionError

BAD_SERVICES = {
    "privileged": "true",
    "network_mode": "host",
    "network_mode of another container": ("network_mode", "container:database-1"),
    "pid": "host",
    "ipc": "host",
    "userns_mode": "host",
    "uts": "host",
    "cgroup": "host",
    "cgroup_parent": "/system.slice",
    "cap_add": "[SYS_ADMIN]",
    "devices": "['/dev/sda:/dev/sda']",
    "device_cgroup_rules": "['c 1:3 mr']",
    "gpus": "all",
    "container_name": "the-one",
    "use_api_socket": "true",
    "external_links": "[other-db-1:db]",
    "volumes_from": "['container:other-db-1']",
    "security_opt": "['seccomp:unconfined']",
    "security_opt apparmor": ("security_opt", "[no-new-privileges, 'apparmor=unconfined']"),
    "env_file": "/etc/environment",
    "env_file above": ("env_file", "[{path: ../other/.env, required: false}]"),
    "label_file": "../labels",
    "extends": "{file: base.yaml, service: base}",
    "build": "/usr/src",
    "build above": ("build", "{context: ../..}"),
    "build of a repository": ("build", "https://example.org/evil.git"),
    "build with a variable": ("build", "{context: '${HOME}'}"),
    "build with another context": ("build", "{context: ., additional_contexts: {host: /etc}}"),
    "build on the host's network": ("build", "{context: ., network: host}"),
    "build with privileges": ("build", "{context: ., privileged: true}"),
    "build with a key of ssh": ("build", "{context: ., ssh: [default]}"),
    "build with another Dockerfile": ("build", "{context: ., dockerfile: /root/Dockerfile}"),
    "volumes": "['/etc:/host:ro']",
    "volumes beside": ("volumes", "['./conf:/conf']"),
    "volumes at home": ("volumes", "['~/.ssh:/keys']"),
    "volumes from a variable": ("volumes", "['${PWD}:/here']"),
    "volumes of a drive": ("volumes", "['c:/windows:/w']"),
    "volumes with the socket": ("volumes", "['/var/run/docker.sock:/var/run/docker.sock']"),
    "volumes long": ("volumes", "[{type: bind, source: /, target: /host}]"),
    "volumes long without type": ("volumes", "[{source: /, target: /host}]"),
    "volumes long in disguise": ("volumes", "[{type: volume, source: /etc, target: /host}]"),
    "volumes long with bind options": (
        "volumes",
        "[{type: volume, source: maps, target: /m, bind: {propagation: shared}}]",
    ),
    "deploy": "{resources: {reservations: {devices: [{capabilities: [gpu]}]}}}",
    "logging": "{driver: syslog}",
    "labels": "{live.key: live-gl0000}",
    "runtime": "runsc",
    "sysctls": "{kernel.shmmax: 1}",
    "post_start": "[{command: id, privileged: true}]",
    "provider": "{type: a-program-of-the-host}",
    "something_new": "1",
}
BAD_TOPS = {
    "volumes that binds": "volumes: {maps: {driver: local, driver_opts: {type: none, o: bind, device: /etc}}}",
    "volumes of others": "volumes: {maps: {external: true}}",
    "volumes by name": "volumes: {maps: {name: live-gl0000_maps}}",
    "volumes by plug-in": "volumes: {maps: {driver: sshfs}}",
    "networks of others": "networks: {front: {external: true}}",
    "networks by name": "networks: {front: {name: live-gl0000_default}}",
    "networks of the host": "networks: {front: {driver: macvlan, driver_opts: {parent: eth0}}}",
    "configs outside": "configs: {conf: {file: /etc/passwd}}",
    "configs of others": "configs: {conf: {external: true}}",
    "secrets outside": "secrets: {key: {file: ../../id_ed25519}}",
    "include": "include: [other.yaml]",
    "models": "models: {llm: {model: some}}",
}
GOOD = """
version: "3.8"
x-all: &all {restart: unless-stopped, security_opt: ["no-new-privileges:true"], cap_drop: [ALL]}
services:
  database:
    <<: *all
    image: postgis/postgis:16-3.4
    volumes: ["data:/var/lib/postgresql/data", {type: tmpfs, target: /run}, {type: volume, source: data, target: /d}]
    env_file: [settings.env]
    ipc: shareable
  gateway:
    <<: *all
    build: {context: ./gateway, dockerfile: Dockerfile, args: {DATA_DIR: /srv}}
    pid: "service:database"
    depends_on: {database: {condition: service_healthy}}
    ports: ["80"]
    logging: {driver: local}
    deploy: {resources: {limits: {memory: 1G}}}
    networks: [front]
networks: {front: {driver: bridge, internal: true}}
volumes: {data: }
configs: {site: {file: ./gateway/site.conf}}
secrets: {password: {environment: ADMIN_PASSWORD}}
"""


@pytest.mark.parametrize("case", BAD_SERVICES)
def test_service_that_reaches_the_host_is_refused_by_name_and_key(case: str) -> None:
    spec = BAD_SERVICES[case]
    key, value = spec if isinstance(spec, tuple) else (case, spec)
    (sentence,) = find_violations(f"services:\n  web:\n    image: debian\n    {key}: {value}\n")
    assert sentence.startswith(f"services.web.{key}")
    assert sentence.endswith(".")


@pytest.mark.parametrize("case", BAD_TOPS)
def test_composition_that_reaches_others_is_refused_by_key(case: str) -> None:
    sentences = find_violations(f"services: {{web: {{image: debian}}}}\n{BAD_TOPS[case]}\n")
    assert sentences
    assert all(sentence.startswith(case.split()[0]) for sentence in sentences)


def test_every_violation_is_named_at_once() -> None:
    compose = "services: {a: {privileged: true, pid: host}, b: {volumes: ['data:/d', '/:/host']}}"
    assert find_violations(compose) == [
        "services.a.privileged: a privileged container has the whole server.",
        "services.a.pid: “host” would share what belongs to the host or to another container.",
        "services.b.volumes[1]: “/” is a path of the host; use a named volume.",
    ]


def test_harmless_composition_passes() -> None:
    assert find_violations(GOOD) == []


def test_trusted_product_may_ask_for_anything() -> None:
    assert find_violations("services: {web: {privileged: true}}", trusted=True) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: [", "not valid YAML, line 1"),
        ("volumes: {}", "services: there are none"),
        ("services: {web: nginx}", "services.web: is not a service"),
        ("services:\n  web:\n    privileged: true\n    privileged: false\n", "line 4: “privileged” is given twice"),
        ("services: {web: {ports: !override ['80']}}", "not valid YAML"),
        ("", "services: there are none"),
    ],
)
def test_text_that_is_no_composition_is_refused_whoever_is_trusted(text: str, words: str) -> None:
    for trusted in (True, False):
        with pytest.raises(CompositionError, match=words.replace("[", r"\[")):
            find_violations(text, trusted=trusted)


def test_sample_catalogue_keeps_to_the_policy() -> None:
    files = sorted(Path(settings.BASE_DIR, "catalogue", "products").glob("*/compose.yaml"))
    assert files
    for file in files:
        assert find_violations(file.read_text()) == [], file
        assert yaml.safe_load(file.read_text())["services"]
