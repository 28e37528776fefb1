"""The calls that are made to GitLab (REST v4), and what its refusals mean; the only door of python-gitlab."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests

from core.call_times.counting import OutsideSystem, timed_call
from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from core.outside.address_guard import AddressGuard
from core.outside.guarded_requests import guarded_session
from products.adapters.tags import natural_key

if TYPE_CHECKING:
    import gitlab
    from gitlab.exceptions import GitlabError

STATUS_NAME = "geocat-live/catalogue"
LONGEST_STATUS = 255
LARGEST_ARCHIVE = 512 * 1024 * 1024
MOST_DIFFS = 1000
"""GitLab leaves out what goes beyond its own limit, so a long comparison is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit of the project."""

    id: str
    author: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag of the project, with the commit that it names."""

    name: str
    commit: Commit
    created_at: str = ""


class GitLabClient:
    """One project on one GitLab."""

    def __init__(
        self, *, url: str, project: str, token: str, timeout: float = 60, guard: AddressGuard | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self.project = project.strip("/")
        self.timeout = timeout
        self.calls = 0
        self._token = token
        self.guard = guard

    def __repr__(self) -> str:
        return f"GitLabClient({self.url}, {self.project})"

    def close(self) -> None:
        """No connection stays open; the next call opens one."""
        self._session.close()

    @cached_property
    def _session(self) -> requests.Session:
        if self.guard is None:
            return requests.Session()
        session = guarded_session(self.guard)
        session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        return session

    @cached_property
    def _gitlab(self) -> gitlab.Gitlab:
        import gitlab  # only where a catalogue is read from one

        session = self._session
        session.hooks["response"].append(self._count)
        return gitlab.Gitlab(
            self.url,
            private_token=self._token or None,
            timeout=self.timeout,
            session=session,
            per_page=100,
            retry_transient_errors=False,
            keep_base_url=True,
        )

    def _count(self, response: requests.Response, **_options: Any) -> None:
        """Called with each answer; python-gitlab itself would sleep when it is asked for fewer calls."""
        self.calls += 1
        if response.status_code == 429:
            response.close()
            seconds = response.headers.get("Retry-After", "")
            wait = timedelta(seconds=int(seconds) if seconds.isdigit() else 60)
            raise TransientError(f"{self.url} asks for fewer calls", retry_in=wait)

    @cached_property
    def _project(self) -> Any:
        with _ours(self):
            return self._gitlab.projects.get(self.project)

    def default_branch(self) -> str:
        """The branch that the project names; raises ConfigError when it has no commits."""
        branch = self._project.attributes.get("default_branch")
        if not branch:
            raise ConfigError(f"{self.project} has no commits: push the catalogue to it")
        return str(branch)

    def head(self, branch: str) -> Commit:
        """The last commit of the branch."""
        with _ours(self, missing=f"{self.project} has no branch “{branch}”"):
            return _commit(self._project.branches.get(branch).commit)

    def tags(self) -> list[Tag]:
        """Every tag, the oldest first; those of one second by their numbers, as git sorts them."""
        with _ours(self):
            tags = self._project.tags.list(iterator=True, order_by="updated", sort="asc")
            found = [
                Tag(
                    name=str(tag.name),
                    commit=_commit(tag.commit, message=tag.attributes.get("message")),
                    created_at=str(tag.commit.get("created_at", "")),
                )
                for tag in tags
            ]
        return sorted(found, key=lambda tag: (_moment(tag.created_at), natural_key(tag.name)))

    def changed_paths(self, before: str, after: str) -> set[str] | None:
        """The paths that differ; None when GitLab cannot tell all of them."""
        try:
            with _ours(self):
                comparison: Any = self._project.repository_compare(before, after, straight=True)
        except _Missing:
            return None  # history was rewritten
        diffs: Sequence[Mapping[str, Any]] = comparison.get("diffs") or ()
        if comparison.get("compare_timeout") or len(diffs) >= MOST_DIFFS:
            return None
        return {str(diff[key]) for diff in diffs for key in ("old_path", "new_path")}

    def archive(self, commit: str, path: str = "") -> bytes:
        """A tar.gz of the commit, of one folder where `path` names it."""
        chunks: list[bytes] = []
        size = 0

        def collect(chunk: bytes) -> None:
            nonlocal size
            size += len(chunk)
            if size > LARGEST_ARCHIVE:
                raise PermanentError(f"The archive of {self.project} is larger than {LARGEST_ARCHIVE // 1024**2} MB")
            chunks.append(chunk)

        options = {"path": path} if path else {}
        with _ours(self, missing=f"{self.project} has nothing at “{path or '/'}” in {commit[:12]}"):
            self._project.repository_archive(
                sha=commit, format="tar.gz", streamed=True, action=collect, chunk_size=65536, **options
            )
        return b"".join(chunks)

    def repository(self) -> tuple[str, str]:
        """The address from which git clones the project, and the header that holds the token."""
        path = self._project.attributes.get("path_with_namespace") or self.project
        login = base64.b64encode(f"oauth2:{self._token}".encode()).decode()
        return f"{self.url}/{path}.git", f"Authorization: Basic {login}" if self._token else ""

    def post_status(self, commit: str, *, is_ok: bool, description: str) -> None:
        """The commit's status is what is given."""
        status = {
            "state": "success" if is_ok else "failed",
            "name": STATUS_NAME,
            "description": description[:LONGEST_STATUS],
        }
        with _ours(self):
            self._project.commits.get(commit, lazy=True).statuses.create(status)


class _Missing(ConfigError):
    """GitLab has no such thing, or does not show it to this token."""


@contextmanager
def _ours(client: GitLabClient, *, missing: str = "") -> Iterator[None]:
    """The block is timed as one call; no exception of python-gitlab or requests leaves, and messages hold no token."""
    with timed_call(OutsideSystem.GITLAB), _translated_errors(client, missing):
        yield


@contextmanager
def _translated_errors(client: GitLabClient, missing: str) -> Iterator[None]:
    from gitlab.exceptions import GitlabError, GitlabParsingError

    try:
        yield
    except OutsideError:
        raise
    except GitlabParsingError as error:
        raise ConfigError(f"{client.url} does not answer as GitLab does: check its address") from error
    except GitlabError as error:
        raise _error(client, error, missing) from error
    except requests.exceptions.Timeout as error:
        raise TransientError(f"{client.url} did not answer within {client.timeout:g} seconds") from error
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
        raise ConfigError(f"“{client.url}” is not an address of GitLab: use https://…") from error
    except requests.exceptions.RequestException as error:
        raise TransientError(f"{client.url} cannot be reached: {type(error).__name__}") from error


def _error(client: GitLabClient, error: GitlabError, missing: str) -> OutsideError:
    code = error.response_code or 0
    makers: dict[int, Callable[[], OutsideError]] = {
        401: lambda: ConfigError(f"{client.url} refuses the token: it is wrong, expired or revoked"),
        403: lambda: ConfigError(f"The token may not read {client.project}: it needs the scope read_api (or api)"),
        404: lambda: _Missing(missing or f"{client.url} has no project “{client.project}” that the token may read"),
    }
    if code in makers:
        return makers[code]()
    if code >= 500 or not code:
        return TransientError(f"{client.url} failed with status {code or 'unknown'}")
    return PermanentError(f"{client.url} refused the call with status {code}")


def _commit(attributes: Mapping[str, Any], *, message: str | None = None) -> Commit:
    return Commit(
        id=str(attributes["id"]),
        author=str(attributes.get("author_name") or "")[:200],
        message=(message or str(attributes.get("message") or "")).strip()[:10_000],
    )


def _moment(text: str) -> datetime:
    """A time of a commit, in whatever zone its author was; the earliest there is where GitLab does not say it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
