"""Which catalogue the settings name."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from core.errors import ConfigError
from products.adapters.folder.catalogue import FolderCatalogue
from products.adapters.git.catalogue import GitCatalogue
from products.contracts import Catalogue

_SCP_STYLE = re.compile(r"[\w.-]+@[\w.-]+:.+")


def get_catalogue() -> Catalogue:
    """The catalogue at `settings.CATALOGUE_URL`: a git repository, or a folder of this machine."""
    url = str(settings.CATALOGUE_URL)
    if not url:
        raise ConfigError("CATALOGUE_URL is empty")
    if url.startswith("git+"):
        return GitCatalogue(url.removeprefix("git+"))
    if "://" in url or url.endswith(".git") or _SCP_STYLE.fullmatch(url):
        return GitCatalogue(url)
    return FolderCatalogue(Path(url))
