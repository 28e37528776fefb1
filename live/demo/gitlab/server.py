"""GitLab's REST API v4 as far as a config-repo needs it, over real HTTP from a real git repository.

Built from https://docs.gitlab.com/api/ (projects, repositories, branches, tags, commits, repository files, project
webhooks, pagination, rate limits); it was never compared with a running GitLab.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from live.demo.gitlab.delivery import deliver, pushed_refs
from live.demo.gitlab.repository import NoSuchObject, Repository

READ, WRITE = "read_api", "api"
CLONE = re.compile(r"/(.+)\.git/(info/refs|git-upload-pack|git-receive-pack)")
STATES = ("pending", "running", "success", "failed", "canceled", "skipped")


class RequestRefused(Exception):
    """The request gets this status and message."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class GitLabDouble:
    """One project on a GitLab; `tokens` gives each token its scope."""

    def __init__(
        self, repository: Repository, *, project: str = "sdi/catalogue", tokens: dict[str, str] | None = None
    ) -> None:
        self.repository = repository
        self.project = project
        self.tokens = tokens if tokens is not None else {"glpat-demo": WRITE}
        self.requests: list[str] = []
        """The path of each call."""
        self.statuses: list[dict[str, Any]] = []
        self.hooks: list[dict[str, Any]] = []
        self.deliveries: list[int] = []
        """The status that each call of a hook was answered with."""
        self.refusals: list[RequestRefused] = []
        """What the next calls get instead of an answer."""
        self.lock = Lock()

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """The double answers at the address that is yielded."""
        double = self

        class Handler(_Handler):
            gitlab = double

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    gitlab: GitLabDouble
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(READ)

    def do_POST(self) -> None:
        self._answer(WRITE)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: callers look at `requests`."""

    def _answer(self, scope: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.gitlab.lock:
            try:
                self.gitlab.requests.append(f"{self.command} {self.path}")
                if self.gitlab.refusals:
                    raise self.gitlab.refusals.pop(0)
                if clone := CLONE.fullmatch(urlsplit(self.path).path):
                    self._serve_git(clone[1], clone[2], body)
                    return
                self._check_token(scope)
                self._route(body)
            except RequestRefused as refused:
                self._send(refused.status, {"message": str(refused)}, refused.headers)
            except NoSuchObject:
                self._send(404, {"message": "404 Not Found"})

    def _check_token(self, scope: str) -> None:
        token = self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.gitlab.tokens:
            raise RequestRefused(401, "401 Unauthorized")
        if scope == WRITE and self.gitlab.tokens[token] != WRITE:
            raise RequestRefused(403, "403 Forbidden")

    def _serve_git(self, project: str, service: str, body: bytes) -> None:
        """What `git clone`, `fetch` and `push` ask; a token that may only read the API may not do that."""
        kind, _space, login = self.headers.get("Authorization", "").partition(" ")
        token = base64.b64decode(login).decode().partition(":")[2] if kind == "Basic" else ""
        if token not in self.gitlab.tokens:
            raise RequestRefused(401, "HTTP Basic: Access denied", WWW_Authenticate='Basic realm="GitLab"')
        if self.gitlab.tokens[token] != WRITE:
            raise RequestRefused(403, "insufficient_scope")
        if unquote(project) != self.gitlab.project:
            raise RequestRefused(404, "The project you were looking for could not be found")
        names = ("Content-Type", "Content-Encoding", "Git-Protocol")
        asked = {f"HTTP_{name.upper().replace('-', '_')}": self.headers.get(name, "") for name in names}
        query, repository = urlsplit(self.path).query, self.gitlab.repository
        before = repository.refs() if service == "git-receive-pack" else {}
        status, headers, content = repository.http_backend(self.command, service, query, asked, body)
        self._send(status, content, headers)
        if service == "git-receive-pack":
            self._call_hooks(list(pushed_refs(before, repository.refs())))

    def _call_hooks(self, pushes: list[tuple[str, str, str]]) -> None:
        """By a thread of its own, as whoever is called may ask for something at once."""
        gitlab, branch = self.gitlab, self.gitlab.repository.default_branch() or ""

        def call() -> None:
            for push in pushes:
                gitlab.deliveries += deliver(gitlab.hooks, push, project=gitlab.project, default_branch=branch)

        Thread(target=call, daemon=True).start()

    def _route(self, body: bytes) -> None:
        address = urlsplit(self.path)
        found = re.fullmatch(r"/api/v4/projects/([^/]+)(/.*)?", address.path)
        if not found:
            raise RequestRefused(404, "404 Not Found")
        if unquote(found[1]) not in (self.gitlab.project, "1"):
            raise RequestRefused(404, "404 Project Not Found")
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        for method, pattern, answer in ROUTES:
            match = re.fullmatch(pattern, found[2] or "")
            if match and method == self.command:
                groups = [unquote(group) for group in match.groups()]
                answer(self, groups, query, json.loads(body) if body else {})
                return
        raise RequestRefused(404, "404 Not Found")

    def _send(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        kind = "application/octet-stream" if isinstance(content, bytes) else "application/json"
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _send_page(self, items: list[Any], query: dict[str, str]) -> None:
        """One page of the items, with the headers of offset pagination."""
        size = min(max(int(query.get("per_page", 20)), 1), 100)
        page = max(int(query.get("page", 1)), 1)
        pages = max(-(-len(items) // size), 1)
        following = str(page + 1) if page < pages else ""
        headers = {
            "X-Page": str(page),
            "X-Per-Page": str(size),
            "X-Total": str(len(items)),
            "X-Total-Pages": str(pages),
            "X-Next-Page": following,
            "X-Prev-Page": str(page - 1) if page > 1 else "",
        }
        if following:
            plain = re.sub(r"([?&])page=\d+&?", r"\1", self.path).rstrip("?&")
            host = self.headers.get("Host", "")
            headers["Link"] = f'<http://{host}{plain}{"&" if "?" in plain else "?"}page={following}>; rel="next"'
        self._send(200, items[(page - 1) * size : page * size], headers)

    # --- Answers ----------------------------------------------------------------------------------------------------
    def _get_project(self, _names: list[str], _query: dict[str, str], _body: Any) -> None:
        project, repository = self.gitlab.project, self.gitlab.repository
        self._send(
            200,
            {
                "id": 1,
                "path": project.rpartition("/")[2],
                "path_with_namespace": project,
                "default_branch": repository.default_branch(),
                "empty_repo": repository.default_branch() is None,
            },
        )

    def _get_branch(self, names: list[str], _query: dict[str, str], _body: Any) -> None:
        self._send(200, self.gitlab.repository.branch(names[0]))

    def _get_tags(self, _names: list[str], query: dict[str, str], _body: Any) -> None:
        tags = self.gitlab.repository.tags()
        self._send_page(tags if query.get("sort") == "asc" else tags[::-1], query)

    def _get_commits(self, _names: list[str], query: dict[str, str], _body: Any) -> None:
        self._send_page(self.gitlab.repository.commits(query.get("ref_name", "HEAD")), query)

    def _get_commit(self, names: list[str], _query: dict[str, str], _body: Any) -> None:
        self._send(200, self.gitlab.repository.commit(names[0]))

    def _get_tree(self, _names: list[str], query: dict[str, str], _body: Any) -> None:
        is_recursive = query.get("recursive") in ("true", "True", "1")
        tree = self.gitlab.repository.tree(query.get("ref", "HEAD"), query.get("path", ""), is_recursive=is_recursive)
        self._send_page(tree, query)

    def _get_raw(self, names: list[str], query: dict[str, str], _body: Any) -> None:
        self._send(200, self.gitlab.repository.raw(query.get("ref", "HEAD"), names[0]))

    def _get_archive(self, _names: list[str], query: dict[str, str], _body: Any) -> None:
        name = self.gitlab.project.rpartition("/")[2]
        self._send(200, self.gitlab.repository.archive(query.get("sha", "HEAD"), query.get("path", ""), name))

    def _get_comparison(self, _names: list[str], query: dict[str, str], _body: Any) -> None:
        if "from" not in query or "to" not in query:
            raise RequestRefused(400, "from and to are missing")
        is_straight = query.get("straight") in ("true", "True", "1")
        self._send(200, self.gitlab.repository.compare(query["from"], query["to"], is_straight=is_straight))

    def _post_status(self, names: list[str], _query: dict[str, str], body: Any) -> None:
        if body.get("state") not in STATES:
            raise RequestRefused(400, "state does not have a valid value")
        status = {"sha": self.gitlab.repository.resolve(names[0]), "id": len(self.gitlab.statuses) + 1, **body}
        self.gitlab.statuses.append(status)
        self._send(201, status)

    def _get_hooks(self, _names: list[str], query: dict[str, str], _body: Any) -> None:
        self._send_page([{key: hook[key] for key in hook if key != "token"} for hook in self.gitlab.hooks], query)

    def _post_hook(self, _names: list[str], _query: dict[str, str], body: Any) -> None:
        hook = {"push_events": True, "tag_push_events": False, **body, "id": len(self.gitlab.hooks) + 1}
        self.gitlab.hooks.append(hook)
        self._send(201, {key: value for key, value in hook.items() if key != "token"})


Answer = Callable[[_Handler, list[str], dict[str, str], Any], None]
ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "", _Handler._get_project),
    ("GET", "/repository/branches/([^/]+)", _Handler._get_branch),
    ("GET", "/repository/tags", _Handler._get_tags),
    ("GET", "/repository/commits", _Handler._get_commits),
    ("GET", "/repository/commits/([^/]+)", _Handler._get_commit),
    ("GET", "/repository/tree", _Handler._get_tree),
    ("GET", "/repository/files/([^/]+)/raw", _Handler._get_raw),
    ("GET", r"/repository/archive(?:\.tar\.gz)?", _Handler._get_archive),
    ("GET", "/repository/compare", _Handler._get_comparison),
    ("POST", "/statuses/([^/]+)", _Handler._post_status),
    ("GET", "/hooks", _Handler._get_hooks),
    ("POST", "/hooks", _Handler._post_hook),
)
