"""The pipeline of the sample catalogue: its YAML, the commands of its jobs, and its two scripts at work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from core.outside.compose_binary import compose_binary

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "catalogue"
PIPELINE: dict[str, Any] = yaml.safe_load((FOLDER / ".gitlab-ci.yml").read_text())
KEYWORDS = {"stages", "variables", "workflow"}
JOBS = {name: job for name, job in PIPELINE.items() if name not in KEYWORDS and not name.startswith(".")}
JOB_KEYS = {"extends", "stage", "image", "services", "variables", "script", "artifacts", "resource_group", "rules"}
LINES = [(name, line) for name, job in JOBS.items() for line in job["script"]]
DIGEST = "sha256:" + "b" * 64


def test_jobs_are_in_the_stages_and_hold_known_keys() -> None:
    assert list(JOBS) == PIPELINE["stages"]
    for name, job in JOBS.items():
        assert job["stage"] == name
        assert job.keys() <= JOB_KEYS
        extended = job.get("extends", [])
        for template in [extended] if isinstance(extended, str) else extended:
            assert template in PIPELINE


@pytest.mark.parametrize(("job", "line"), LINES)
def test_line_is_shell(job: str, line: str) -> None:
    assert isinstance(line, str), job
    assert subprocess.run(["bash", "-n"], input=line, text=True, capture_output=True, check=False).stderr == ""


@pytest.mark.parametrize(("job", "line"), [pair for pair in LINES if "manage.py" in pair[1]])
def test_command_of_ours_exists_with_its_options(job: str, line: str) -> None:
    found = re.search(r"manage\.py (\w+) (\w+) (.*)", line)
    assert found, job
    parser = load_command_class(get_commands()[found[1]], found[1]).create_parser("manage.py", found[1])
    arguments = re.sub(r"\$\w+", "x", found[3]).replace('"', "").split()
    assert parser.parse_args([found[2], *arguments]).subcommand == found[2]


@pytest.mark.parametrize(("job", "line"), [pair for pair in LINES if "sh ci/" in pair[1]])
def test_script_exists_and_is_shell(job: str, line: str) -> None:
    script = FOLDER / line.split()[1]
    assert script.is_file(), job
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0


@pytest.mark.parametrize(
    ("subcommand", "option"), [("config", "--lock-image-digests"), ("build", "--push"), ("build", "--pull")]
)
def test_compose_knows_the_options_of_the_build(subcommand: str, option: str) -> None:
    command = [str(compose_binary()), subcommand, "--help"]
    assert option in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert option in (FOLDER / "ci/build").read_text()


def stub_docker(folder: Path) -> dict[str, str]:
    """A `docker` that notes what it is asked, and prints a lock file; the environment that finds it."""
    folder.mkdir()
    program = folder / "docker"
    program.write_text(
        f'#!/bin/sh\necho "$@" >>{folder}/calls\n'
        f'case "$*" in *lock-image*) echo "services: {{gateway: {{image: \\"r/g:1@{DIGEST}\\"}}}}";; esac\n'
    )
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "GIT_CONFIG_GLOBAL": os.devnull}


def test_build_pushes_what_is_built_and_locks_every_product(tmp_path: Path) -> None:
    environment = stub_docker(tmp_path / "bin")
    for slug in ("maps", "ready"):
        (tmp_path / "work/products" / slug).mkdir(parents=True)
    (tmp_path / "work/names").mkdir()
    (tmp_path / "work/names/maps.yaml").write_text("services: {}")
    command = ["sh", str(FOLDER / "ci/build"), "names", "locks"]
    subprocess.run(command, cwd=tmp_path / "work", env=environment, check=True)
    calls = (tmp_path / "bin/calls").read_text().splitlines()
    assert [call.rpartition(" --file ")[2] for call in calls] == [
        "names/maps.yaml build --pull --push",
        "names/maps.yaml config --lock-image-digests",
        "products/ready//compose.yaml config --lock-image-digests",
    ]
    locked = yaml.safe_load((tmp_path / "work/locks/ready.yaml").read_text())
    assert locked == {"services": {"gateway": {"image": f"r/g:1@{DIGEST}"}}}


def git(folder: Path, *arguments: str) -> str:
    """What git prints."""
    people = {f"GIT_{role}_{what}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **people, "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone of a config-repo, as a runner has it, with pinned files."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(tmp_path, "clone", "-q", "origin.git", "work")
    work = tmp_path / "work"
    (work / "products/maps").mkdir(parents=True)
    (work / "products/maps/compose.yaml").write_text("services: {gateway: {build: .}}\n")
    git(work, "checkout", "-q", "-B", "main")
    git(work, "add", "-A")
    git(work, "commit", "-qm", "Add maps.")
    git(work, "push", "-q", "origin", "main")
    (work / "products/maps/compose.yaml").write_text(f"services: {{gateway: {{image: 'r/g@{DIGEST}'}}}}\n")
    return work


def publish(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The last job of the pipeline."""
    command = ["sh", str(FOLDER / "ci/publish"), "live", *arguments]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def test_publish_makes_a_commit_of_the_release_branch_and_tags_it(checkout: Path) -> None:
    origin = checkout.parent / "origin.git"
    assert publish(checkout, "maps/v1.0").returncode == 0
    assert git(origin, "rev-parse", "maps/v1.0^{commit}") == git(origin, "rev-parse", "live")
    assert DIGEST in git(origin, "show", "live:products/maps/compose.yaml")
    assert "build" in git(origin, "show", "main:products/maps/compose.yaml")
    assert git(origin, "log", "-1", "--format=%s", "live") == "Add maps."


def test_publish_commits_nothing_when_nothing_has_changed(checkout: Path) -> None:
    origin = checkout.parent / "origin.git"
    publish(checkout)
    first = git(origin, "rev-parse", "live")
    assert publish(checkout).returncode == 0
    assert git(origin, "rev-parse", "live") == first
    (checkout / "products/maps/more").write_text("more")
    publish(checkout)
    assert git(origin, "rev-parse", "live~1") == first


def test_publish_moves_no_tag(checkout: Path) -> None:
    origin = checkout.parent / "origin.git"
    publish(checkout, "v1.0")
    first = git(origin, "rev-parse", "v1.0^{commit}")
    (checkout / "products/maps/more").write_text("more")
    assert publish(checkout, "v1.0").returncode != 0
    assert git(origin, "rev-parse", "v1.0^{commit}") == first


def test_check_of_the_pipeline_passes_for_the_sample_catalogue(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "work")
    line = next(line for _job, line in LINES if "catalogue name" in line)
    line = line.replace("python /srv/live/manage.py", f"{ROOT}/.venv/bin/python {ROOT}/manage.py")
    variables = {"CI_PROJECT_DIR": ".", "CI_REGISTRY_IMAGE": "registry.example.org/sdi", "CI_COMMIT_SHORT_SHA": "abc"}
    subprocess.run(["bash", "-ec", line], cwd=tmp_path / "work", env={**os.environ, **variables}, check=True)
    names = yaml.safe_load((tmp_path / "work/names/sdi-lite.yaml").read_text())
    assert names["services"]["gateway"] == {"image": "registry.example.org/sdi/sdi-lite/gateway:abc"}
