"""What an author with bad intentions may write: refused with a sentence, or allowed for the reason given here."""

from __future__ import annotations

import pytest
import yaml

from products.adapters.compose.config import ComposeConfig
from products.compose_policy import find_violations
from products.composition.inspection import Inspection

# By what is tried: a composition, and words of the sentence that refuses it.
REFUSED = {
    "the image of another order": ("image: live-gl7k3m-web, pull_policy: never", "is how images of orders are called"),
    "the image of another order in capitals": ("image: 'LIVE-GL7K3M-web:latest'", "images of orders"),
    "the image of another order by its registry": (
        "image: docker.io/library/live-gl7k3m-web, pull_policy: never",
        "images of orders",
    ),
    "the image of another order by its library": ("image: 'library/live-gl7k3m-web:latest'", "images of orders"),
    "the image of another order by the index": (
        "image: 'index.docker.io/Live-gl7k3m-web@sha256:0'",
        "images of orders",
    ),
    "an image by its id": (f"image: 'sha256:{'a' * 64}'", "not by an id of one engine"),
    "an image by its bare id": (f"image: {'a' * 64}", ""),
    "a build on the image of another order": (
        "build: {context: ., additional_contexts: {base: 'docker-image://live-gl7k3m-web'}}",
        "images of orders",
    ),
    "a host name by which builds of another order are found": (
        "image: x, extra_hosts: ['live-gl7k3m.build=127.0.0.1']",
        "reserved for the platform",
    ),
    "the same on a build": ("build: {context: ., extra_hosts: ['LIVE-gl.build=::1']}", "reserved for the platform"),
    "a million containers": ("image: x, scale: 1000000", "1000000 containers; at most 50"),
    "thousands of replicas": ("image: x, deploy: {replicas: 5000}", "5000 containers; at most 50"),
    "a stop that takes a month": ("image: x, stop_grace_period: 900h", "longer than 10 minutes to stop"),
    "a stop that takes a little too long": ("image: x, stop_grace_period: 10m0.5s", "longer than 10 minutes to stop"),
    "a health check without a pause": ("image: x, healthcheck: {test: id, interval: 1ms}", "every half second"),
    "a first health check without a pause": (
        "image: x, healthcheck: {test: id, interval: 1m, start_interval: 100us}",
        "every half second",
    ),
    "more of the processor than others": ("image: x, cpu_shares: 262144", "slow down other orders"),
    "more of the disk than others": ("image: x, blkio_config: {weight: 1000}", "slow down other orders"),
    "labels of the platform from a file": ("image: x, label_file: [labels]", "reserved for the platform"),
    "labels of the platform, disguised": ("image: x, labels: {' LIVE.key': y}", "reserved for the platform"),
    "labels of the platform on a deployment": (
        "image: x, deploy: {labels: {live.key: y}}",
        "reserved for the platform",
    ),
    "an extended file of the web": ("extends: {file: 'https://example.org/a.yaml', service: x}", "outside the product"),
    "an extended file of a repository": (
        "extends: {file: 'git@github.com:a/b.git', service: x}",
        "outside the product",
    ),
    "an extended file by an archive": ("extends: {file: 'oci://example.org/a', service: x}", "outside the product"),
    "another container's processes": ("image: x, pid: 'container:db'", "belongs to the host or to another container"),
    "another container's network": ("image: x, network_mode: 'container:db'", "belongs to the host or to another"),
    "another container's memory": ("image: x, ipc: 'container:db'", "belongs to the host or to another container"),
    "the host's control groups": ("image: x, cgroup_parent: a.slice", "control groups of the host"),
    "a path out of a volume": (
        "image: x, volumes: [{type: volume, source: data, target: /d, volume: {subpath: ../../etc}}]",
        "leads out of the volume",
    ),
    "a bind mount with options": (
        "image: x, volumes: [{type: bind, source: ./a, target: /d, read_only: true, bind: {recursive: disabled}}]",
        "not on the list of safe settings",
    ),
    "a privilege as text": ("image: x, privileged: 'true'", "privileged container"),
    "a privilege by a default": ("image: x, privileged: '${NOTHING:-true}'", "not allowed here"),
    "paths of the kernel": ("image: x, security_opt: ['systempaths=unconfined']", "loosen"),
    "forwarding for the host": ("image: x, sysctls: ['net.ipv4.conf.all.forwarding=1']", "kernel setting"),
    "a watcher": ("image: x, develop: {watch: [{action: sync, path: ., target: /}]}", "not on the list"),
    "a command after the start": ("image: x, post_start: [{command: [id]}]", "not on the list"),
    "a command before the stop": ("image: x, pre_stop: [{command: [id], privileged: true}]", "not on the list"),
    "a program of the host as provider": ("provider: {type: sh}", "not on the list"),
    "a credential of the registry": ("image: x, credential_spec: {registry: a}", "not on the list"),
    "a size of the storage": ("image: x, storage_opt: {size: 1G}", "not on the list"),
    "cards": ("image: x, gpus: [{count: 1}]", "devices of the host"),
    "a link to another order": ("image: x, links: ['live-gl7k3m-db-1:db']", "Docker Compose refuses this"),
    "a key of the worker's agent": ("build: {context: ., ssh: [default]}", "not on the list"),
    "an attestation": ("build: {context: ., provenance: true}", "not on the list"),
    "a cache of the host": ("build: {context: ., cache_from: ['type=local,src=/etc']}", "caches of other builds"),
    "a proxy of the worker": ("build: {context: ., args: [HTTP_PROXY]}", "nothing fills"),
}
DECLARED = {
    "a variable of the worker as a secret": ("secrets: {data: {environment: HOME}}", "nothing fills"),
    "a token of the worker as a secret": ("secrets: {data: {environment: GITLAB_TOKEN}}", "nothing fills"),
    "a variable of the worker in a config": ("configs: {data: {content: 'a ${HOME}'}}", "use another name"),
    "a file of the worker as a secret": ("secrets: {data: {file: /root/.ssh/id_ed25519}}", "outside the product"),
    "the network of all": ("networks: {default: {name: bridge, external: true}}", "could belong to another order"),
    "ports on every address": (
        "networks: {default: {driver_opts: {com.docker.network.bridge.host_binding_ipv4: 0.0.0.0}}}",
        "can mount or reach the host",
    ),
    "an IPv6 subnet": ("networks: {default: {ipam: {config: [{subnet: 'fd00::/64'}]}}}", "a fixed subnet"),
    "a network over several hosts": ("networks: {default: {driver: overlay, attachable: true}}", "cannot be used"),
    "a folder of the host as a volume": (
        "volumes: {data: {driver_opts: {o: bind, type: none, device: /}}}",
        "can mount or reach the host",
    ),
    "a share as a volume": ("volumes: {data: {driver_opts: {type: cifs, device: //h/s}}}", "can mount or reach"),
    "an included archive": ("include: ['oci://example.org/a']", "outside the product"),
    "an included repository": ("include: [{path: [a.yaml, 'https://example.org/b.git']}]", "outside the product"),
    "an included folder of the host": ("include: [{path: a.yaml, project_directory: /}]", "outside the product"),
    "mounts by an anchor": (
        "x-all: &all ['/etc:/e']\nservices: {web: {image: x, volumes: *all}}",
        "a path of the host",
    ),
    "a namespace by merged anchors": (
        "x-all: &all {pid: host}\nservices: {web: {<<: [*all, {image: x}]}}",
        "belongs to the host",
    ),
    "many services": (
        "services: {" + ", ".join(f"a{number}: {{image: x}}" for number in range(51)) + "}",
        "51 containers; at most 50",
    ),
    "a service with the name of a path": ("services: {'../web': {image: x}}", "Docker Compose refuses this"),
}
ALLOWED = {
    # Ports are published by the platform alone; `ports` never reaches the launched file.
    "image: x, ports: ['0.0.0.0:1-65535:1-65535']",
    "image: x, ports: ['[::]:22:22', {target: 80, published: '22', host_ip: '::', mode: host}]",
    "image: x, expose: ['1-65535']",
    # A number of a group means nothing without a file of the host.
    "image: x, group_add: [docker, '0']",
    # Limits only lower what a container gets, and memory of tmpfs counts as the container's.
    "image: x, mem_limit: 900g, cpuset: 0-63, pids_limit: -1, ulimits: {core: -1}, shm_size: 900g",
    "image: x, tmpfs: ['/x:exec,suid,size=900g']",
    "image: x, cpu_shares: 512, blkio_config: {weight: 100}",
    "image: x, deploy: {resources: {limits: {cpus: '64', memory: 900G}}}",
    # Namespaces of the order's own containers.
    "image: x, ipc: 'service:other', pid: 'service:other'",
    # A named volume hides the path in the container; nothing of the host is there.
    "image: x, volumes: ['data:/var/run/docker.sock']",
    # Addresses that a container can reach anyway; only names are given to them.
    "image: x, dns: [169.254.169.254], extra_hosts: ['a=172.17.0.1']",
    # Only this container reads its own environment and host name.
    "image: x, environment: {LIVE_ORDER: other, LD_PRELOAD: /x.so}, hostname: live-gl7k3m",
    # Ends a container's stop by SIGKILL, after the time that is allowed.
    "image: x, stop_signal: SIGCONT, stop_grace_period: 10m",
    # A launch has a time-out of its own.
    "image: x, healthcheck: {test: id, interval: 500ms, start_period: 9000h}",
    # Where the image's name is free, it is replaced by the order's own at the launch.
    "build: {context: ., dockerfile_inline: FROM x}, image: 'postgis/postgis:16'",
    "image: live.example.org/maps, pull_policy: always",
    "image: registry.example.org/live-maps:1",
    # A frontend of BuildKit runs as confined as any other step of a build.
    "build: {context: ., dockerfile_inline: FROM x, args: {BUILDKIT_SYNTAX: example/frontend}}",
    "image: x, scale: 49",
}
# By what is tried: a Dockerfile, what is passed to its build, and words of the sentence that refuses it.
RECIPES = {
    "begins with another order's image": ("FROM live-gl7k3m-web", "", "images of orders"),
    "begins with it by its registry": (
        "FROM --platform=linux/amd64 docker.io/library/live-gl7k3m-web AS a",
        "",
        "images",
    ),
    "copies from it": ("FROM x\nCOPY --chown=1 --from=live-gl7k3m-web /s /s", "", "images of orders"),
    "copies from it at a child's build": (
        "FROM x\nONBUILD COPY --from=Live-gl7k3m-web:latest /s /s",
        "",
        "images of orders",
    ),
    "mounts it": ("FROM x\nRUN --mount=type=bind,target=/m,from=live-gl7k3m-web cat /m/s", "", "images of orders"),
    "mounts it first": ("FROM x\nRUN --mount=from=live-gl7k3m-web,target=/m cat /m/s", "", "images of orders"),
    "copies on several lines": ("FROM x\nCOPY \\\n  # a comment\n  --from=live-gl7k3m-web / /", "", "images of orders"),
    "is read by it": ("# syntax=live-gl7k3m-web\nFROM x", "", "images of orders"),
    "hides it in a default": ("ARG A=live-gl7k3m\nFROM ${A}-web", "", "images of orders"),
    "hides it in two": ('ARG A=live\nARG B="${A}-gl7k3m-web"\nFROM $B', "", "images of orders"),
    "hides it in a fallback": ("FROM ${A:-live-gl7k3m-web}", "", "images of orders"),
    "hides it in an alternative": ("ARG A=1\nFROM ${A:+live-gl7k3m-web}", "", "images of orders"),
    "gets it as an argument": ("ARG A=x\nFROM $A", "A: live-gl7k3m-web", "images of orders"),
    "gets it from a customer": ("ARG A=x\nFROM $A", "A: '${TITLE}'", "would choose the image"),
    "gets its end from a customer": ("ARG A=x\nFROM live-${A}-web", "A: '${TITLE}'", ""),
    "gets its middle from a customer": ("ARG A=x\nFROM liv$A", "A: '${TITLE}'", "would choose the image"),
    "copies what a customer names": ("FROM x\nARG A\nCOPY --from=$A / /", "A: '${TITLE}'", "would choose the image"),
}
HARMLESS_RECIPES = {
    "a tag that a customer chooses": ("ARG A=16\nFROM postgis/postgis:${A}", "A: '${TITLE}'"),
    "a stage with the name of an order's image": ("FROM x AS live-build\nFROM y\nCOPY --from=live-build / /", ""),
    "a stage by its number": ("FROM x\nFROM y\nCOPY --from=0 / /", ""),
    "a registry's image": ("FROM registry.example.org/live-maps:1\nFROM live.example.org/maps\nFROM live/maps", ""),
    "a comment": ("FROM x\n# FROM live-gl7k3m-web\nRUN echo FROM live-gl7k3m-web", ""),
    "nothing": ("", ""),
}
INPUTS = {"inputs": [{"key": "title", "label": "Title", "type": "string"}]}
FILES = {"a/b": b"", "Dockerfile": b"FROM x", "labels": b"com.docker.compose.project=other\nlive.key=y\n"}


@pytest.mark.parametrize("attack", REFUSED)
def test_setting_that_harms_others_is_refused_with_a_sentence(attack: str) -> None:
    setting, message = REFUSED[attack]
    found = find_violations(f"services: {{web: {{{setting}}}}}\nvolumes: {{data: }}\n", files=FILES)
    assert any(message in sentence for sentence in found), found
    assert all(sentence.endswith((".", "…")) for sentence in found)


@pytest.mark.parametrize("attack", DECLARED)
def test_declaration_that_harms_others_is_refused_with_a_sentence(attack: str) -> None:
    text, message = DECLARED[attack]
    uses = {"secrets": "secrets: [data]", "configs": "configs: [data]", "volumes": "volumes: ['data:/d']"}
    service = ", ".join(("image: x", *(use for kind, use in uses.items() if text.startswith(kind))))
    values = text if "services:" in text else f"{text}\nservices: {{web: {{{service}}}}}\n"
    found = find_violations(values, files=FILES)
    assert any(message in sentence for sentence in found), found


@pytest.mark.parametrize("setting", sorted(ALLOWED))
def test_setting_that_harms_nobody_is_allowed(setting: str) -> None:
    text = f"services: {{web: {{{setting}}}, other: {{image: 'y:1'}}}}\nvolumes: {{data: }}\n"
    assert find_violations(text, files=FILES) == []


def violations_of_recipe(recipe: str, argument: str, *, is_inline: bool, trusted: bool = False) -> list[str]:
    """What is said of a build by the Dockerfile, in the file or in the composition itself."""
    build = {"context": "./app", "args": yaml.safe_load(f"{{{argument}}}")}
    build |= {"dockerfile_inline": recipe.replace("$", "$$")} if is_inline else {"dockerfile": "a.Dockerfile"}
    compose = yaml.safe_dump({"services": {"web": {"build": build}}}).encode()
    files = {"compose.yaml": compose, "app/a.Dockerfile": recipe.encode()}
    inspection = Inspection(files=files, manifest=INPUTS, reader=ComposeConfig(), is_trusted=trusted)
    return [str(problem) for problem in inspection.run() if not problem.is_warning]


@pytest.mark.parametrize("is_inline", [False, True], ids=["file", "inline"])
@pytest.mark.parametrize("attack", RECIPES)
def test_recipe_that_takes_another_orders_image_is_refused(attack: str, is_inline: bool) -> None:
    recipe, argument, message = RECIPES[attack]
    place = "dockerfile_inline" if is_inline else "dockerfile"
    found = violations_of_recipe(recipe, argument, is_inline=is_inline)
    assert any(message in sentence and f"services.web.build.{place}" in sentence for sentence in found), found
    assert violations_of_recipe(recipe, argument, is_inline=is_inline, trusted=True) == []


@pytest.mark.parametrize("recipe", HARMLESS_RECIPES)
def test_recipe_that_harms_nobody_is_allowed(recipe: str) -> None:
    text, argument = HARMLESS_RECIPES[recipe]
    assert violations_of_recipe(text, argument, is_inline=False) == []
