"""A config-repo on the double of GitLab: people push to it all through the run, and its webhook calls twice."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from core.engine.queue import READINGS, enqueue
from live.demo.gitlab.catalogue import AUTHOR
from live.demo.gitlab.repository import QUIET, Repository
from live.demo.gitlab.server import WRITE, GitLabDouble
from products.adapters.bundle import File, digest_of
from products.catalogue import default_config_repo
from products.models import CatalogueSync, ConfigRepo, Product, Release
from products.services import request_catalogue_sync, request_catalogue_syncs
from tests.chaos.lives import Life, patiently
from tests.chaos.outside.part import OutsidePart
from tests.chaos.plan import SECONDS
from tests.chaos.proxy import Proxy, tcp_proxy
from tests.products.conftest import MANIFEST

PROJECT, TOKEN, SECRET = "chaos/catalogue", "glpat-chaos", "a-webhook-secret-of-the-chaos-run"
SLUGS = ("atlas", "bridge", "compass")
SHORT_LIVED = SLUGS[2]  # is removed from the config-repo when half of the pushes are made
PUSH_EVERY, READ_EVERY = 7.0, 20.0  # seconds
COMPOSE = "services:\n  gateway:\n    image: maps:v1\n    expose: ['80']\n"


class WorkingCopy:
    """Somebody's clone of the config-repo, and every state of each product that was pushed from it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.states: dict[str, list[str]] = {slug: [] for slug in SLUGS}
        """By product, the digest of each state in the sequence of the pushes."""
        self.tags: dict[str, tuple[str, ...]] = {}
        """By tag, the products that it names a version of."""
        self.tagged: dict[tuple[str, str], str] = {}
        """By product and version, the digest that the tag names."""
        self.is_removed = False

    def change(self, slug: str, revision: int) -> None:
        """The product has another summary, which makes it another release."""
        folder = self._folder / "products" / slug
        folder.mkdir(parents=True, exist_ok=True)
        manifest = MANIFEST.replace("Maps for everyone", f"Maps, revision {revision}")
        (folder / "product.yaml").write_text(manifest)
        (folder / "compose.yaml").write_text(COMPOSE)
        files = {"product.yaml": File(manifest.encode()), "compose.yaml": File(COMPOSE.encode())}
        self.states[slug].append(digest_of(files))

    def remove(self, slug: str) -> None:
        """The product is in the config-repo no longer."""
        self.git("rm", "--quiet", "-r", f"products/{slug}")
        self.is_removed = True

    def commit(self, message: str) -> None:
        """What was changed is the head of the branch, here."""
        self.git("add", "--all")
        self.git("commit", "--quiet", f"--message={message}")

    def tag(self, version: str, slug: str = "") -> None:
        """The head is a version: of one product, or of all."""
        name = f"{slug}/{version}" if slug else version
        self.git("tag", "--annotate", name, f"--message=Release {name}")
        slugs = (slug,) if slug else self.present
        self.tags[name] = slugs
        self.tagged |= {(product, version): self.states[product][-1] for product in slugs}

    @property
    def present(self) -> tuple[str, ...]:
        """The products that the config-repo has now."""
        return tuple(slug for slug in SLUGS if not (self.is_removed and slug == SHORT_LIVED))

    def git(self, *arguments: str) -> str:
        """What git prints."""
        environment = {**os.environ, **QUIET, **AUTHOR}
        command = ["git", "-C", str(self._folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


class GitLab(OutsidePart):
    """Commits and tags are pushed to it; the site hears of them by a webhook that calls twice, and by the clock."""

    def __init__(self, proxy: Proxy, *, double: GitLabDouble, copy: WorkingCopy, listens_on: int) -> None:
        super().__init__(proxy)
        self.double, self._copy = double, copy
        self._pushes_left = range(1, max(int(SECONDS * 0.8 / PUSH_EVERY), 4) + 1)
        self._half = len(self._pushes_left) // 2
        self._next_reading = READ_EVERY
        self._was_read_at_last = False
        self.environment = {
            "GITLAB_URL": f"http://127.0.0.1:{listens_on}",
            "GITLAB_PROJECT": PROJECT,
            "GITLAB_TOKEN": TOKEN,
            "GITLAB_WEBHOOK_SECRET": SECRET,
        }
        self.settings = self.environment

    def set_up(self) -> None:
        """Each push calls the site's webhook twice, and the first sync is requested."""
        repo = default_config_repo()
        url = settings.SITE_URL + reverse("catalogue_hooks:gitlab", args=(repo.uuid,))
        hook = {"url": url, "token": SECRET, "push_events": True, "tag_push_events": True}
        self.double.hooks = [hook, hook]
        request_catalogue_sync(repo=repo, source="Set up")

    def live_on(self, seconds: float, lives: Sequence[Life]) -> None:
        """Whoever has something to push has pushed it, and the clock has asked for a sync."""
        if self._pushes_left and seconds >= self._pushes_left[0] * PUSH_EVERY:
            number, self._pushes_left = self._pushes_left[0], self._pushes_left[1:]
            self.push(number)
        if seconds >= self._next_reading:
            self._next_reading += READ_EVERY
            patiently(lambda: enqueue("products.tasks.sync_catalogues", queue=READINGS))
        if seconds >= SECONDS and not (self._pushes_left or self._was_read_at_last):
            patiently(lambda: request_catalogue_syncs(is_full=False, source="Schedule"))
            self._was_read_at_last = True

    def push(self, number: int) -> None:
        """One commit or several at once, most of them with a tag."""
        dice = random.Random(number)  # noqa: S311
        if number == self._half:
            self._copy.remove(SHORT_LIVED)
        for part in range(dice.randrange(1, 3)):
            slug = dice.choice(self._copy.present)
            self._copy.change(slug, number * 10 + part)
            self._copy.commit(f"Change {slug}.")
        match dice.randrange(3):
            case 0:
                self._copy.tag(f"v{number}.0")
            case 1:
                self._copy.tag(f"v{number}.1", slug)
        self._copy.git("push", "--quiet", "origin", "main", "--tags")

    def is_over(self) -> bool:
        """True once the clock has asked for a sync after the last push."""
        return self._was_read_at_last

    def problems(self) -> Iterator[str]:
        """What had to become a release is one, in the sequence of the pushes; products are as at the head."""
        for slug, states in self._copy.states.items():
            yield from self._problems_of_releases(slug, states)
            yield from self._problems_of_product(slug, states[-1])
        head = self._copy.git("rev-parse", "HEAD").strip()
        repo = ConfigRepo.objects.get(is_default=True)
        if repo.last_error or (repo.commit, repo.position.get("tags", {}).keys()) != (head, self._copy.tags.keys()):
            yield f"the config-repo is read up to {repo.position}, its head is {head}: {repo.last_error}"
        failed = CatalogueSync.objects.failed().values_list("last_error", flat=True)
        yield from (f"a sync of the config-repo failed: {error}" for error in failed)

    def _problems_of_releases(self, slug: str, states: list[str]) -> Iterator[str]:
        releases = list(Release.objects.filter(product__slug=slug).order_by("pk").values_list("version", "digest"))
        digests = [digest for _version, digest in releases]
        if strange := [version for version, digest in releases if digest not in states]:
            yield f"the releases {strange} of {slug} were never pushed"
        elif sorted(digests, key=states.index) != digests:
            numbers = ", ".join(f"{version} ({states.index(digest)})" for version, digest in releases)
            yield f"the releases of {slug} are not in the sequence of their pushes: {numbers}"
        if slug == SHORT_LIVED and self._copy.is_removed:
            return  # what was tagged shortly before its end need not be there
        for (product, version), digest in self._copy.tagged.items():
            if product == slug and digest not in digests:
                yield f"{slug} has no release for its tag {version}"

    def _problems_of_product(self, slug: str, last: str) -> Iterator[str]:
        product = Product.objects.select_related("present_release").filter(slug=slug).first()
        is_present = slug in self._copy.present
        wanted = Product.State.ON_SALE if is_present else Product.State.RETIRED
        if product is None or product.present_release is None:
            yield f"the product {slug} is not there"
        elif product.state != wanted:
            yield f"the product {slug} is {product.state} and not {wanted}: {product.import_error}"
        elif is_present and (product.import_error or product.present_release.digest != last):
            yield f"{slug} offers {product.present_release.version} and not its head: {product.import_error}"


@contextmanager
def on_stage(folder: Path) -> Iterator[GitLab]:
    """The double with a project of three products behind a proxy; people reach it without one."""
    work, bare = folder / "work", folder / "catalogue.git"
    work.mkdir()
    copy = WorkingCopy(work)
    copy.git("init", "--quiet", "--initial-branch=main")
    for slug in SLUGS:
        copy.change(slug, 0)
    copy.commit("Add three products.")
    copy.tag("v0.1")
    copy.git("clone", "--quiet", "--bare", ".", str(bare))
    double = GitLabDouble(Repository(bare), project=PROJECT, tokens={TOKEN: WRITE})
    with double.serve() as address:
        copy.git("remote", "add", "origin", f"{address.replace('://', f'://oauth2:{TOKEN}@')}/{PROJECT}.git")
        port = urlsplit(address).port or 0
        with tcp_proxy("127.0.0.1", port) as (proxy, listens_on):
            yield GitLab(proxy, double=double, copy=copy, listens_on=listens_on)
