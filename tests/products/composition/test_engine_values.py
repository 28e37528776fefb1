"""What Docker Engine would refuse at a customer's launch reaches the author at the import."""

from __future__ import annotations

import pytest

from products.adapters.compose.config import ComposeConfig
from products.compose_policy import find_violations
from products.composition.engine_values import IMAGE
from products.composition.inspection import Inspection

NAME, POLICY = "is no name of an image", "is no restart policy"
REFUSED = {
    "image: Postgis/postgis": NAME,
    "image: 'a b'": NAME,
    "image: ':::'": NAME,
    "image: 'x:tag:tag'": NAME,
    "image: 'x@sha256:1'": NAME,
    "image: -x": NAME,
    "image: 'x/../y'": NAME,
    'image: "x\\ry"': NAME,
    f"image: {'x' * 256}": NAME,
    "image: x, restart: 'always:5'": POLICY,
    "image: x, restart: sometimes": POLICY,
    "image: x, restart: 'on-failure:-1'": POLICY,
    "image: x, restart: 'on-failure:99999999999'": POLICY,
    "image: x, mem_limit: -5": "6 MB or more",
    "image: x, mem_limit: 1k": "6 MB or more",
    "image: x, mem_limit: 99999999999999999999999g": "6 MB or more",
    "image: x, mem_limit: 1g, memswap_limit: -2": "6 MB or more",
    "image: x, deploy: {resources: {limits: {memory: 2m}}}": "6 MB or more",
    "image: x, shm_size: -1": "such as 64m",
    "image: x, cpus: -1": "a number from 0",
    "image: x, pids_limit: -7": "a number from 0",
    "image: x, pids_limit: 99999999999999999999": "a number from 0",
    "image: x, healthcheck: {test: id, retries: 99999999999999999999}": "a number from 0",
    "image: x, healthcheck: {test: id, timeout: 0.5ms}": "a millisecond or more",
    "image: x, healthcheck: {test: id, start_period: 10ns}": "a millisecond or more",
    "image: x, working_dir: srv": "an absolute path",
    "image: x, stop_signal: SIGSTOPP": "is no signal",
    "image: x, stop_signal: RTMIN+16": "is no signal",
    "image: x, cap_drop: [NET_RAWW]": "“NET_RAWW” is no capability",
    "image: x, ulimits: {files: 10}": "“files” is no limit",
    "image: x, ulimits: {nofile: {soft: 10, hard: 5}}": "a soft limit above its hard one",
    "image: x, dns: 999.1.1.1": "“999.1.1.1” is no IP address",
    "image: x, dns: [1.1.1.1, resolver]": "“resolver” is no IP address",
    "image: x, cpu_period: 5": "from 1000 to 1000000",
    "image: x, cpu_quota: 100": "1000 microseconds or more",
    "image: x, cpuset: first": "by their numbers",
    "image: x, memswap_limit: 1g": "give mem_limit too",
    "image: x, mem_limit: 2g, memswap_limit: 1g": "give mem_limit too",
    "image: x, mem_limit: 10m, mem_reservation: 20m": "more than the limit",
    "image: x, deploy: {resources: {limits: {memory: 10m}, reservations: {memory: 20m}}}": "more than the limit",
    "image: x, logging: {driver: local, options: {tag: x}}": "“local” has no such option",
    "image: x, logging: {driver: none, options: {max-size: 1m}}": "“none” has no such option",
}
ALLOWED = {
    "image: 'localhost:5000/a_b/c__d/e--f:Tag_1.0-x'",
    "image: 'registry.example.org:443/maps@sha256:" + "a" * 64 + "'",
    "image: 'x:1@sha256:" + "0" * 64 + "'",
    "image: 'host:5000/x'",
    "image: x, restart: 'on-failure:5'",
    "image: x, restart: unless-stopped",
    "image: x, mem_limit: 512m, memswap_limit: -1, pids_limit: -1, shm_size: 64m, cpus: 0.5",
    "image: x, mem_limit: 0, cpus: 0",
    "image: x, mem_limit: 1g, memswap_limit: 1g, mem_reservation: 1g",
    "image: x, memswap_limit: 0, mem_reservation: 20m",
    "image: x, working_dir: /srv/data, stop_signal: sigquit",
    "image: x, stop_signal: '15'",
    "image: x, stop_signal: RTMIN+3",
    "image: x, cap_drop: [all, CAP_NET_RAW, sys_admin]",
    "image: x, ulimits: {nofile: {soft: 1024, hard: -1}, nproc: 100}",
    "image: x, dns: ['1.1.1.1', '2606:4700:4700::1111']",
    "image: x, cpu_period: 100000, cpu_quota: 50000, cpuset: '0-1,3'",
    "image: x, healthcheck: {test: id, interval: 1m30s, timeout: 1ms, start_period: 0s}",
    "image: x, logging: {driver: local, options: {max-size: 10m}}",
    "image: x, logging: {options: {max-size: 10m, tag: x}}",
}


@pytest.mark.parametrize("setting", REFUSED)
def test_value_that_no_engine_accepts_is_refused_with_its_place(setting: str) -> None:
    found = find_violations(f"services: {{web: {{{setting}}}}}", files={})
    assert any(REFUSED[setting] in sentence and sentence.startswith("services.web.") for sentence in found), found


@pytest.mark.parametrize("setting", sorted(ALLOWED))
def test_value_that_the_engine_accepts_is_allowed(setting: str) -> None:
    assert find_violations(f"services: {{web: {{{setting}}}}}", files={}) == []


@pytest.mark.parametrize("name", ["postgis/postgis:16-3.4", "ghcr.io/a/b", "x", "[::1]:5000/x", "127.0.0.1/x"])
def test_names_of_images_are_recognised(name: str) -> None:
    assert IMAGE.fullmatch(name)


def test_image_whose_tag_an_input_chooses_is_left_to_the_launch() -> None:
    manifest = {"inputs": [{"key": "TAG", "label": "Tag", "type": "string"}]}
    for image, is_refused in (("postgis/postgis:${TAG:-}", False), ("postgis/postgis:", True)):
        files = {"compose.yaml": f"services: {{web: {{image: '{image}'}}}}".encode()}
        problems = Inspection(files=files, manifest=manifest, reader=ComposeConfig()).run()
        assert any(NAME in problem.message for problem in problems) is is_refused


@pytest.mark.parametrize(
    "compose",
    [
        "services: {web: {image: x, configs: [c]}}\nconfigs: {c: {file: ./conf}}",
        "services: {web: {image: x, secrets: [c]}}\nsecrets: {c: {file: ./conf/}}",
        "services: {web: {build: {context: ., dockerfile: conf}}}",
    ],
)
def test_folder_where_a_file_is_needed_is_refused(compose: str) -> None:
    found = find_violations(compose, files={"conf/a": b"", "Dockerfile": b"FROM x"})
    assert any("“conf” is a folder; name a file." in sentence for sentence in found), found
