"""The sample catalogue as a project on the double, for `make demo GITLAB=1`: clone it, push to it, see it synced."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from django.conf import settings
from django.test import override_settings
from django.urls import reverse

from live.demo.gitlab.repository import QUIET, Repository
from live.demo.gitlab.server import WRITE, GitLabDouble
from products.models import ConfigRepo

PROJECT, TOKEN = "sdi/catalogue", "glpat-demo"
AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Kaartwerk Hosting"), ("EMAIL", "catalogue@kaartwerk.example"))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoGitLab:
    """The double under way."""

    double: GitLabDouble
    address: str
    secret: str

    @property
    def clone_url(self) -> str:
        """What to clone and push to."""
        return f"{self.address.replace('://', f'://oauth2:{TOKEN}@')}/{PROJECT}.git"

    def call_on_push(self, site: str) -> None:
        """A push calls the webhook of the site."""
        repo = ConfigRepo.objects.get(is_default=True)
        url = site + reverse("catalogue_hooks:gitlab", args=(repo.uuid,))
        hook = {"url": url, "token": self.secret, "push_events": True, "tag_push_events": True}
        self.double.hooks = [hook]


@contextmanager
def demo_gitlab(folder: Path, *, port: int = 0) -> Iterator[DemoGitLab]:
    """The double serves the catalogue, and until its end the settings of this process and its children name it."""
    double = GitLabDouble(Repository(write_repository(folder)), project=PROJECT, tokens={TOKEN: WRITE})
    with double.serve(port) as address:
        gitlab = DemoGitLab(double=double, address=address, secret=secrets.token_urlsafe(24))
        values = {
            "GITLAB_URL": address,
            "GITLAB_PROJECT": PROJECT,
            "GITLAB_TOKEN": TOKEN,
            "GITLAB_WEBHOOK_SECRET": gitlab.secret,
        }
        with override_settings(**values), patch.dict(os.environ, values):
            yield gitlab


def write_repository(folder: Path) -> Path:
    """A bare repository with the sample catalogue, tagged v1.0; that of an earlier run stays as it is."""
    bare = folder / "catalogue.git"
    if bare.exists():
        return bare
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="live-demo-gitlab-") as name:
        work = Path(name) / "catalogue"
        shutil.copytree(Path(settings.BASE_DIR) / "catalogue", work)
        for arguments in (
            ("init", "--quiet", "--initial-branch=main"),
            ("add", "--all"),
            ("commit", "--quiet", "--message=Add the sample products."),
            ("tag", "--annotate", "v1.0", "--message=First release"),
            ("clone", "--quiet", "--bare", ".", str(bare)),
        ):
            _git(work, *arguments)
    return bare


def _git(folder: Path, *arguments: str) -> None:
    command = ["git", "-C", str(folder), *arguments]
    subprocess.run(command, check=True, env={**os.environ, **QUIET, **AUTHOR})  # noqa: S603  (fixed arguments)
