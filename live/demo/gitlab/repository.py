"""The git repository behind the double: what git says, in the shapes of GitLab's REST API."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TAG = "%(refname:lstrip=2)%00%(objecttype)%00%(objectname)%00%(*objectname)%00%(contents)%01"
FORM = "%H%x00%h%x00%an%x00%ae%x00%aI%x00%cI%x00%P%x00%B"
QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class NoSuchObject(Exception):
    """The repository has no such commit, branch or path."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on disk."""

    path: Path

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What git prints; raises NoSuchObject when it refuses."""
        command = ["git", "-C", str(self.path), *arguments]
        environment = {**os.environ, **QUIET}
        done = subprocess.run(command, check=False, input=stdin, capture_output=True, env=environment)  # noqa: S603
        if done.returncode:
            raise NoSuchObject(done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def refs(self) -> dict[str, str]:
        """The object that each branch and tag names."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").decode().splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def http_backend(
        self, method: str, service: str, query: str, asked: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, content) by which git answers a clone, a fetch or a push over HTTP."""
        folder = Path(self.git("rev-parse", "--absolute-git-dir").decode().strip())
        environment = {
            **{name: value for name, value in asked.items() if value},
            "GIT_PROJECT_ROOT": str(folder.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{folder.name}/{service}",
            "QUERY_STRING": query,
            "REQUEST_METHOD": method,
            "CONTENT_TYPE": asked["HTTP_CONTENT_TYPE"],
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_USER": "oauth2",
        }
        done = subprocess.run(
            ["git", "http-backend"],  # noqa: S607
            check=False,
            input=body,
            capture_output=True,
            env={**os.environ, **QUIET, **environment},
        )
        head, _blank, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        return int(headers.pop("Status", "200").split()[0]), headers, content

    def default_branch(self) -> str | None:
        """The branch that HEAD names; None without commits."""
        try:
            self.git("rev-parse", "--verify", "--quiet", "HEAD")
        except NoSuchObject:
            return None
        return self.git("symbolic-ref", "--short", "HEAD").decode().strip()

    def resolve(self, name: str) -> str:
        """The commit that a branch, tag or hash names."""
        return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()

    def commit(self, name: str) -> dict[str, Any]:
        """A commit as `GET …/repository/commits/:sha` shows it."""
        return _commit(self.git("log", "-1", f"--format={FORM}", self.resolve(name)).decode("utf-8", "replace"))

    def commits(self, name: str) -> list[dict[str, Any]]:
        """The history of a ref, newest first."""
        return self._log(self.resolve(name))

    def branch(self, name: str) -> dict[str, Any]:
        """A branch as `GET …/repository/branches/:branch` shows it."""
        commit = self.commit(f"refs/heads/{name}")
        return {"name": name, "commit": commit, "default": name == self.default_branch(), "protected": False}

    def tags(self) -> list[dict[str, Any]]:
        """Every tag, oldest first; two calls of git, however many there are."""
        listing = self.git("for-each-ref", "--sort=creatordate", f"--format={TAG}", "refs/tags")
        rows = [row.lstrip("\n").split("\0") for row in listing.decode("utf-8", "replace").split("\x01") if row.strip()]
        commits = self._commits([peeled or target for _name, _kind, target, peeled, _message in rows])
        return [
            {
                "name": name,
                "message": message.strip() if kind == "tag" else "",
                "target": target,
                "commit": commits[peeled or target],
            }
            for name, kind, target, peeled, message in rows
        ]

    def _commits(self, ids: list[str]) -> dict[str, dict[str, Any]]:
        """These commits by their ids."""
        if not ids:
            return {}
        commits = self._log("--no-walk=unsorted", "--stdin", stdin="\n".join(ids).encode())
        return {commit["id"]: commit for commit in commits}

    def _log(self, *options: str, stdin: bytes = b"") -> list[dict[str, Any]]:
        texts = self.git("log", "-z", f"--format={FORM}%x01", *options, stdin=stdin).decode("utf-8", "replace")
        return [_commit(text.lstrip("\0")) for text in texts.split("\x01") if text.strip("\0\n")]

    def tree(self, ref: str, path: str, *, is_recursive: bool) -> list[dict[str, Any]]:
        """The entries of a folder."""
        options = ["-r", "-t"] if is_recursive else []
        inside = [f"{path.strip('/')}/"] if path.strip("/") else []
        listing = self.git("ls-tree", "-z", *options, self.resolve(ref), *inside).decode("utf-8", "replace")
        entries = []
        for entry in filter(None, listing.split("\0")):
            about, full_path = entry.split("\t", 1)
            mode, kind, name = about.split(" ")
            entries.append({"id": name, "name": Path(full_path).name, "type": kind, "path": full_path, "mode": mode})
        return entries

    def raw(self, ref: str, path: str) -> bytes:
        """The content of a file."""
        return self.git("show", f"{self.resolve(ref)}:{path}")

    def archive(self, ref: str, path: str, project: str) -> bytes:
        """A tar.gz below a folder that is named as GitLab names it."""
        commit = self.resolve(ref)
        suffix = f"-{path.strip('/').replace('/', '-')}" if path.strip("/") else ""
        folder = f"{project}-{ref.replace('/', '-')}-{commit}{suffix}/"
        inside = [path.strip("/")] if path.strip("/") else []
        return self.git("archive", "--format=tar.gz", f"--prefix={folder}", commit, "--", *inside)

    def compare(self, before: str, after: str, *, is_straight: bool) -> dict[str, Any]:
        """What differs between two commits."""
        first, second = self.resolve(before), self.resolve(after)
        dots = ".." if is_straight else "..."
        listing = self.git("diff", "--name-status", "-z", "-M", f"{first}{dots}{second}").decode("utf-8", "replace")
        fields = iter(filter(None, listing.split("\0")))
        diffs = []
        for status in fields:
            old = next(fields)
            new = next(fields) if status[0] in "RC" else old
            diffs.append(
                {
                    "old_path": old,
                    "new_path": new,
                    "new_file": status == "A",
                    "deleted_file": status == "D",
                    "renamed_file": status[0] == "R",
                    "diff": "",
                }
            )
        commits = [_commit(text) for text in self._between(first, second)]
        return {
            "commit": commits[-1] if commits else None,
            "commits": commits,
            "diffs": diffs,
            "compare_timeout": False,
            "compare_same_ref": first == second,
        }

    def _between(self, first: str, second: str) -> list[str]:
        texts = self.git("log", "-z", "--reverse", f"--format={FORM}%x01", f"{first}..{second}")
        return [text.lstrip("\0") for text in texts.decode("utf-8", "replace").split("\x01") if text.strip("\0\n")]


def _commit(text: str) -> dict[str, Any]:
    name, short, author, mail, authored, committed, parents, message = text.split("\0", 7)
    return {
        "id": name,
        "short_id": short,
        "title": message.partition("\n")[0],
        "message": message.rstrip("\n") + "\n",
        "author_name": author,
        "author_email": mail,
        "authored_date": authored,
        "committed_date": committed,
        "created_at": committed,
        "parent_ids": parents.split(),
    }
