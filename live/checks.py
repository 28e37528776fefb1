"""Settings that contradict each other are said at start, with an id, and not found out at night."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from core.engine.queue import ALL_QUEUES


@register()
def site_address(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """live.E001, live.E002: the address that is told to people is one that the site answers to."""
    url = urlsplit(settings.SITE_URL)
    if url.scheme not in ("http", "https") or not url.hostname:
        return [Error("SITE_URL is not an http(s) address", hint=f"It is {settings.SITE_URL!r}.", id="live.E001")]
    hosts = settings.ALLOWED_HOSTS
    is_served = "*" in hosts or any(url.hostname == host or url.hostname.endswith(host) for host in hosts)
    if not is_served and not settings.DEBUG:
        hint = f"Add {url.hostname} to ALLOWED_HOSTS."
        return [Error("The site would refuse its own SITE_URL", hint=hint, id="live.E002")]
    return []


@register()
def secret_key(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """live.E006: there is something to sign sessions with; Django says so only once somebody asks for a page."""
    try:
        is_empty = not settings.SECRET_KEY
    except ImproperlyConfigured:
        is_empty = True
    if not is_empty:
        return []
    hint = "Make one: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    return [Error("SECRET_KEY is empty", hint=hint, id="live.E006")]


@register()
def secrets_keys(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """live.E003: every key that seals stored secrets is a Fernet key."""
    for number, key in enumerate(settings.SECRETS_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            hint = "Make one: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
            return [Error(f"SECRETS_KEYS: key {number} is not a Fernet key", hint=hint, id="live.E003")]
    return []


@register()
def queue_times(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """live.E004: a task is not handed out again while it may still run."""
    if settings.Q_CLUSTER["timeout"] >= settings.Q_CLUSTER["retry"]:
        return [Error("Q_CLUSTER: timeout must be shorter than retry", id="live.E004")]
    return []


@register()
def catalogue(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """live.E005: a catalogue that is a folder is there."""
    url = settings.CATALOGUE_URL
    if "://" not in url and not url.endswith(".git") and not Path(url.removeprefix("git+")).is_dir():
        return [Error(f"CATALOGUE_URL: there is no folder {url}", id="live.E005")]
    return []


@register()
def gitlab_project(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """live.W001: GitLab's address and its project are set together, or neither counts."""
    if bool(settings.GITLAB_URL) == bool(settings.GITLAB_PROJECT):
        return []
    hint = "Set both for a project on GitLab, or none; until then CATALOGUE_URL counts."
    return [Warning("Only one of GITLAB_URL and GITLAB_PROJECT is set", hint=hint, id="live.W001")]


@register()
def queue_names(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """live.E007: the workers of this machine serve one queue or more, and only queues that exist."""
    unknown = set(settings.QUEUES) - set(ALL_QUEUES)
    if settings.QUEUES and not unknown:
        return []
    hint = f"The queues are {', '.join(ALL_QUEUES)}."
    return [Error(f"QUEUES names {', '.join(sorted(unknown)) or 'no queue'}", hint=hint, id="live.E007")]
