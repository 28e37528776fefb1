"""Which catalogue a config-repo is, and which one the settings name."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from core.address_policy import address_guard
from core.errors import ConfigError
from core.text.plain_text import clean_text
from products.adapters.folder.catalogue import FolderCatalogue
from products.adapters.git.catalogue import GitCatalogue
from products.adapters.gitlab.catalogue import GitLabCatalogue
from products.adapters.gitlab.client import GitLabClient
from products.contracts import Catalogue
from products.models import ConfigRepo

_SCP_STYLE = re.compile(r"[\w.-]+@[\w.-]+:.+")
DEFAULT_NAME = "Settings"


def get_catalogue() -> Catalogue:
    """The catalogue that the settings name: a project on GitLab, a git repository, or a folder of this machine."""
    if settings.GITLAB_URL and settings.GITLAB_PROJECT:
        client = GitLabClient(url=settings.GITLAB_URL, project=settings.GITLAB_PROJECT, token=settings.GITLAB_TOKEN)
        return GitLabCatalogue(client)
    url = str(settings.CATALOGUE_URL)
    if not url:
        raise ConfigError("CATALOGUE_URL is empty")
    if url.startswith("git+"):
        return GitCatalogue(url.removeprefix("git+"))
    if "://" in url or "::" in url or url.endswith(".git") or _SCP_STYLE.fullmatch(url):
        return GitCatalogue(url)
    return FolderCatalogue(Path(url))


def catalogue_of(repo: ConfigRepo) -> Catalogue:
    """The catalogue that the row names; the default one follows the settings of the site.

    An address that somebody typed is reached only where `ALLOWED_PRIVATE_RANGES` or the public internet is.
    """
    if repo.is_default:
        return get_catalogue()
    if repo.kind == ConfigRepo.Kind.GITLAB:
        client = GitLabClient(url=repo.address, project=repo.project, token=repo.token, guard=address_guard())
        return GitLabCatalogue(client, branch=repo.branch, path=repo.path)
    if repo.kind == ConfigRepo.Kind.GIT:
        return GitCatalogue(repo.address, branch=repo.branch, path=repo.path, guard=address_guard())
    return FolderCatalogue(Path(repo.address) / repo.path)


def default_config_repo() -> ConfigRepo:
    """The row that stands for the settings, made when it is first needed and kept as they are now.

    It shows them and is never read from, so it takes whatever they hold: the sync itself refuses a wrong address.
    """
    if settings.GITLAB_URL and settings.GITLAB_PROJECT:
        kind, address, project = ConfigRepo.Kind.GITLAB, settings.GITLAB_URL, settings.GITLAB_PROJECT
    else:
        is_git = isinstance(get_catalogue(), GitCatalogue) if settings.CATALOGUE_URL else False
        kind = ConfigRepo.Kind.GIT if is_git else ConfigRepo.Kind.FOLDER
        address, project = re.sub(r"//[^/@\s]*@", "//", str(settings.CATALOGUE_URL)), ""
    address, project = _fit(address, "address"), _fit(project, "project")
    repo, _made = ConfigRepo.objects.get_or_create(
        is_default=True, defaults={"name": DEFAULT_NAME, "kind": kind, "address": address, "project": project}
    )
    if (repo.kind, repo.address, repo.project) != (kind, address, project):
        repo.kind, repo.address, repo.project, repo.position = kind, address, project, {}
        repo.save(update_fields=("kind", "address", "project", "position", "updated_at"))
    return repo


def _fit(setting: str, name: str) -> str:
    """The setting without control characters, no longer than the column that shows it."""
    longest: int = getattr(ConfigRepo._meta.get_field(name), "max_length", 0)
    return clean_text(str(setting), longest)
