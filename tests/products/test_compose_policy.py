"""What a composition may not ask of the server it runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from products.compose_policy import find_violations, judge_model

BAD_SERVICES = {
    "privileged": "true",
    "network_mode": "host",
    "network_mode of another container": ("network_mode", "container:database-1"),
    "network_mode of all orders": ("network_mode", "bridge"),
    "network_mode of a network": ("network_mode", "live-other_default"),
    "pid": "host",
    "pid of another container": ("pid", "container:other-db-1"),
    "ipc": "host",
    "ipc of another container": ("ipc", "container:other-db-1"),
    "userns_mode": "host",
    "uts": "host",
    "cgroup": "host",
    "cgroup_parent": "/system.slice",
    "cap_add": "[SYS_ADMIN]",
    "cap_add of everything": ("cap_add", "[ALL]"),
    "devices": "['/dev/sda:/dev/sda']",
    "devices in long form": ("devices", "[{source: /dev/fuse, target: /dev/fuse, permissions: rwm}]"),
    "devices of a vendor": ("devices", "['vendor.com/class=gpu0']"),
    "device_cgroup_rules": "['c 1:3 mr']",
    "blkio_config": "{device_read_bps: [{path: /dev/sda, rate: 1mb}]}",
    "gpus": "all",
    "container_name": "the-one",
    "use_api_socket": "true",
    "external_links": "[other-db-1:db]",
    "volumes_from": "['container:other-db-1']",
    "security_opt": "['seccomp:unconfined']",
    "security_opt apparmor": ("security_opt", "[no-new-privileges, 'apparmor=unconfined']"),
    "security_opt label": ("security_opt", "['label:disable']"),
    "env_file": "/etc/environment",
    "env_file above": ("env_file", "[{path: ../other/.env, required: false}]"),
    "label_file": "../labels",
    "extends": "{file: ../base.yaml, service: base}",
    "extends of a repository": ("extends", "{file: 'https://example.org/a.git', service: base}"),
    "build": "/usr/src",
    "build above": ("build", "{context: ../..}"),
    "build of a repository": ("build", "https://example.org/evil.git"),
    "build of a repository without scheme": ("build", "github.com/example/maps"),
    "build of a repository by ssh": ("build", "git@github.com:example/maps.git"),
    "build of a repository by git": ("build", "{context: 'git://example.org/maps'}"),
    "build of an archive": ("build", "{context: 'https://example.org/maps.tar.gz'}"),
    "build with a variable": ("build", "{context: '${HOME}'}"),
    "build with another context": ("build", "{context: ., additional_contexts: {host: /etc}}"),
    "build with the context of a repository": ("build", "{context: ., additional_contexts: [src=github.com/a/b]}"),
    "build on the host's network": ("build", "{context: ., network: host}"),
    "build with privileges": ("build", "{context: ., privileged: true}"),
    "build with a key of ssh": ("build", "{context: ., ssh: [default]}"),
    "build with another Dockerfile": ("build", "{context: ., dockerfile: /root/Dockerfile}"),
    "build with a Dockerfile above": ("build", "{context: ., dockerfile: ../Dockerfile}"),
    "build with a cache of the host": ("build", "{context: ., cache_to: ['type=local,dest=/etc']}"),
    "build with a name of another's image": ("build", "{context: ., tags: [live-other-web]}"),
    "build with labels": ("build", "{context: ., labels: {live.key: live-gl0000}}"),
    "build with an entitlement": ("build", "{context: ., entitlements: [security.insecure]}"),
    "volumes": "['/etc:/host:ro']",
    "volumes that are writable": ("volumes", "['./conf:/conf']"),
    "volumes above": ("volumes", "['../conf:/conf:ro']"),
    "volumes at home": ("volumes", "['~/.ssh:/keys:ro']"),
    "volumes from a variable": ("volumes", "['${PWD}:/here']"),
    "volumes of a drive": ("volumes", "['c:/windows:/w']"),
    "volumes with the socket": ("volumes", "['/var/run/docker.sock:/var/run/docker.sock']"),
    "volumes with the socket read-only": ("volumes", "['/var/run/docker.sock:/var/run/docker.sock:ro']"),
    "volumes long": ("volumes", "[{type: bind, source: /, target: /host, read_only: true}]"),
    "volumes long in disguise": ("volumes", "[{type: volume, source: /etc, target: /host}]"),
    "volumes long with propagation": (
        "volumes",
        "[{type: bind, source: ./conf, target: /m, read_only: true, bind: {propagation: shared}}]",
    ),
    "volumes of a cluster": ("volumes", "[{type: cluster, source: other, target: /m}]"),
    "volumes of a pipe": ("volumes", "[{type: npipe, source: other, target: /m}]"),
    "volumes of an image": ("volumes", "[{type: image, source: debian, target: /m}]"),
    "volume_driver": "sshfs",
    "deploy": "{resources: {reservations: {devices: [{capabilities: [gpu]}]}}}",
    "deploy of generic resources": (
        "deploy",
        "{resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: gpu, value: 1}}]}}}",
    ),
    "deploy on every server": ("deploy", "{mode: global}"),
    "logging": "{driver: syslog}",
    "logging to elsewhere": ("logging", "{driver: json-file, options: {syslog-address: 'tcp://192.0.2.1'}}"),
    "labels": "{live.key: live-gl0000}",
    "labels of Compose": ("labels", "['com.docker.compose.project=live-gl0000']"),
    "annotations": "{run.oci.keep_original_groups: '1'}",
    "runtime": "runsc",
    "isolation": "process",
    "credential_spec": "{file: spec.json}",
    "storage_opt": "{size: 1G}",
    "sysctls": "{kernel.shmmax: 1}",
    "sysctls as a list": ("sysctls", "['net.ipv4.ip_forward=1']"),
    "oom_kill_disable": "true",
    "oom_score_adj": "-1000",
    "mac_address": "'02:42:ac:11:65:43'",
    "networks with an address": ("networks", "{default: {ipv4_address: 172.28.0.9}}"),
    "networks with another address": ("networks", "{default: {ipv6_address: '2001:db8::9'}}"),
    "networks with a local address": ("networks", "{default: {link_local_ips: [169.254.8.8]}}"),
    "networks with a card's address": ("networks", "{default: {mac_address: '02:42:ac:11:65:43'}}"),
    "networks with options": ("networks", "{default: {driver_opts: {com.docker.network.endpoint.sysctls: a=1}}}"),
    "extra_hosts": "['server:host-gateway']",
    "post_start": "[{command: id, privileged: true}]",
    "pre_stop": "[{command: id, user: root}]",
    "develop": "{watch: [{path: /etc, action: sync, target: /x}]}",
    "provider": "{type: a-program-of-the-host}",
    "models": "[llm]",
    "something_new": "1",
}
BAD_TOPS = {
    "volumes that binds": "volumes: {maps: {driver: local, driver_opts: {type: none, o: bind, device: /etc}}}",
    "volumes of a share": "volumes: {maps: {driver_opts: {type: nfs, o: addr=192.0.2.1, device: ':/exports'}}}",
    "volumes of others": "volumes: {maps: {external: true}}",
    "volumes of others by name": "volumes: {maps: {external: {name: live-gl0000_maps}}}",
    "volumes by name": "volumes: {maps: {name: live-gl0000_maps}}",
    "volumes by plug-in": "volumes: {maps: {driver: sshfs}}",
    "volumes with labels": "volumes: {maps: {labels: {live.key: live-gl0000}}}",
    "networks of others": "networks: {front: {external: true}}",
    "networks by name": "networks: {front: {name: live-gl0000_default}}",
    "networks of the host": "networks: {front: {driver: macvlan, driver_opts: {parent: eth0}}}",
    "networks of a driver": "networks: {front: {driver: host}}",
    "networks on a bridge by name": "networks: {front: {driver_opts: {com.docker.network.bridge.name: docker0}}}",
    "networks with a subnet": "networks: {front: {ipam: {config: [{subnet: 10.0.0.0/8}]}}}",
    "networks with a gateway": "networks: {front: {ipam: {config: [{gateway: 10.0.0.1}]}}}",
    "networks with a range": "networks: {default: {ipam: {config: [{ip_range: 172.28.5.0/24}]}}}",
    "networks with a driver of addresses": "networks: {front: {ipam: {driver: dhcp}}}",
    "networks with labels": "networks: {front: {labels: [com.docker.compose.project=live-gl0000]}}",
    "configs outside": "configs: {conf: {file: /etc/passwd}}",
    "configs above": "configs: {conf: {file: ./a/../../b}}",
    "configs of others": "configs: {conf: {external: true}}",
    "configs by name": "configs: {conf: {content: a, name: other}}",
    "secrets outside": "secrets: {key: {file: ../../id_ed25519}}",
    "secrets of others": "secrets: {key: {external: true}}",
    "include[0]": "include: [../other.yaml]",
    "include[0].path": "include: [{path: 'oci://example.org/maps'}]",
    "include[0] of a repository": "include: ['https://github.com/example/maps.git']",
    "models": "models: {llm: {model: some}}",
}
GOOD = """
name: maps
version: "3.8"
x-all: &all {restart: unless-stopped, security_opt: ["no-new-privileges:true"], cap_drop: [ALL], cap_add: [CHOWN]}
services:
  database:
    <<: *all
    image: postgis/postgis:${POSTGIS:-16-3.4}
    volumes: ["data:/var/lib/postgresql/data", {type: tmpfs, target: /run}, {type: volume, source: data, target: /d}]
    env_file: [settings.env, {path: ./more.env, required: false}]
    ipc: shareable
    tmpfs: ["/tmp:size=64m"]
    ulimits: {nofile: {soft: 1024, hard: 2048}}
    sysctls: {net.core.somaxconn: 1024}
    mem_limit: ${MEMORY:-1g}
  gateway:
    <<: *all
    build: {context: ./gateway, dockerfile: Dockerfile, args: {DATA_DIR: /srv, ORDER: "${LIVE_ORDER}"}}
    pid: "service:database"
    depends_on: {database: {condition: service_healthy}}
    ports: ["80"]
    logging: {driver: local, options: {max-size: 10m}}
    deploy: {replicas: 1, resources: {limits: {memory: 1G}}}
    networks: {front: {aliases: [www]}}
    extra_hosts: ["maps.example.org:192.0.2.7"]
    x-note: {by: "${LIVE_ORDER}"}
    configs: [site, {source: words, target: /etc/words}]
    secrets: [password]
    environment: {TITLE: "Maps of ${LIVE_CUSTOMER}", PRICE: "$$5", LIVE_ORDER: }
    command: [serve, "--host", "${LIVE_DOMAIN}"]
    volumes: ["./gateway/site.conf:/etc/site.conf:ro", "./gateway:/srv/gateway:ro,z", "/anonymous"]
    volumes_from: ["database:ro"]
networks: {front: {driver: bridge, internal: true, driver_opts: {com.docker.network.driver.mtu: 1400}}}
volumes: {data: }
configs: {site: {file: ./gateway/site.conf}, words: {content: "${LIVE_ORDER} is yours"}}
secrets: {password: {environment: LIVE_ORDER}}
"""
FILES = {"settings.env": b"A=${LIVE_ORDER}\n", "gateway/site.conf": b"", "gateway/Dockerfile": b""}


@pytest.mark.parametrize("case", BAD_SERVICES)
def test_service_that_reaches_the_host_is_refused_by_name_and_key(case: str) -> None:
    spec = BAD_SERVICES[case]
    key, value = spec if isinstance(spec, tuple) else (case, spec)
    text = f"services:\n  web:\n    image: debian\n    {key}: {value}\n"
    sentences = [sentence for sentence in find_violations(text) if sentence.startswith(f"services.web.{key}")]
    assert sentences
    assert all(sentence.endswith(".") for sentence in sentences)


@pytest.mark.parametrize("case", BAD_TOPS)
def test_composition_that_reaches_others_is_refused_by_key(case: str) -> None:
    sentences = find_violations(f"services: {{web: {{image: debian}}}}\n{BAD_TOPS[case]}\n")
    assert sentences
    assert any(sentence.startswith(case.split()[0]) for sentence in sentences)


def test_every_violation_is_named_at_once() -> None:
    compose = "services: {a: {image: x, privileged: true, pid: host}, b: {image: x, volumes: ['data:/d', '/:/host']}}"
    assert find_violations(compose) == [
        'services.b.volumes[0]: Docker Compose refuses this: service "b" refers to undefined volume data.',
        "services.a.pid: “host” would share what belongs to the host or to another container.",
        "services.a.privileged: a privileged container controls the whole server.",
        "services.b.volumes[1]: “/” is a path of the host; use a named volume.",
    ]


def test_harmless_composition_passes() -> None:
    assert find_violations(GOOD, files=FILES) == []


def test_trusted_product_may_ask_for_anything_of_the_host() -> None:
    text = "services: {web: {image: x, privileged: true, volumes: ['/${PLACE:-etc}:/host']}}"
    assert find_violations(text, trusted=True) == []
    assert find_violations(text)


@pytest.mark.parametrize("value", ["/etc/passwd", "../secrets.env", "${HOME}/.env", "~/.env"])
def test_trusted_product_reads_no_file_of_the_platform(value: str) -> None:
    (sentence,) = find_violations(f"services: {{web: {{image: x, env_file: ['{value}']}}}}", trusted=True)
    assert sentence.endswith("is outside the product's folder.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("services: [", "not valid YAML, line 1"),
        ("volumes: {}", "services: there are none"),
        ("services: {web: nginx}", "services.web: is not a service"),
        ("services:\n  web:\n    privileged: true\n    privileged: false\n", "line 4: “privileged” is given twice"),
        ("services: {web: {ports: !override ['80']}}", "tags such as “!override” are not allowed"),
        ("services: {web: {image: a, ? !!binary cHJpdmlsZWdlZA== : true}}", "tags such as"),
        ("services: {web: {image: a}}\n---\nservices: {web: {privileged: true}}\n", "not valid YAML, line 2"),
        ("services: &a {web: *a}", "stands for itself"),
        ("services: {web: {image: a\0b}}", "contains a control character"),
        ("", "services: there are none"),
    ],
)
def test_text_that_is_no_composition_is_refused_whoever_is_trusted(text: str, message: str) -> None:
    for trusted in (True, False):
        assert message in "\n".join(find_violations(text, trusted=trusted))


def test_sample_catalogue_keeps_to_the_policy() -> None:
    folders = sorted(Path(settings.BASE_DIR, "catalogue", "products").iterdir())
    assert folders
    for folder in folders:
        text = (folder / "compose.yaml").read_text()
        assert [sentence for sentence in find_violations(text) if "nothing fills" not in sentence] == [], folder


def model(**service: Any) -> dict[str, Any]:
    """A model as Compose prints it."""
    return {
        "name": "live-gl1",
        "services": {"web": {"image": "debian", **service}},
        "networks": {"default": {"name": "live-gl1_default", "ipam": {}}},
    }


@pytest.mark.parametrize("value", ["5", "[a]", "{a: {}}", "text"])
@pytest.mark.parametrize("key", ["driver", "driver_opts", "external", "ipam", "labels", "name"])
def test_odd_value_of_a_network_is_a_sentence(key: str, value: str) -> None:
    found = find_violations(f"services: {{web: {{image: x}}}}\nnetworks: {{front: {{{key}: {value}}}}}\n")
    assert found or (key, value) == ("labels", "[a]")  # a label without a value


def test_path_above_the_folder_is_shown_without_ours() -> None:
    assert find_violations("services: {web: {image: x, volumes: ['./a/../../etc:/x:ro']}}") == [
        "services.web.volumes[0]: “../etc” is a path of the host; use a named volume."
    ]


def test_model_with_the_real_values_is_judged_by_the_same_list() -> None:
    mount = {"type": "bind", "source": "/srv/work/live-gl1/product/site.conf", "target": "/site", "read_only": True}
    assert judge_model(model(volumes=[mount]), root="/srv/work/live-gl1/product") == []
    (violation,) = judge_model(model(volumes=[mount]), root="/srv/work/live-gl1/prod")
    assert violation.place == "services.web.volumes[0]"
    assert judge_model(model(volumes=[mount]), root="/elsewhere", trusted=True) == []
    assert judge_model(model(volumes=[{**mount, "source": "./site.conf"}])) == []


def test_model_whose_resources_have_others_names_is_refused() -> None:
    values = model() | {"networks": {"default": {"name": "live-gl2_default"}}}
    assert [str(violation) for violation in judge_model(values)] == [
        "networks.default.name: a fixed name could belong to another order; leave it out."
    ]
