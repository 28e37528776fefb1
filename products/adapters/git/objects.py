"""Reads the objects of a git repository by one long-lived `git cat-file`: thousands of files cost no process each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import IO

from core.errors import PermanentError
from products.adapters.bundle import Damage, File, FileBudget, check_path
from products.adapters.git.program import GitProgram, end_process

TREE, PROGRAM, SUBMODULE = "40000", "100755", "160000"
FILES = ("100644", "100664", PROGRAM)
DEEPEST = 30
CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a tree."""

    mode: str
    name: bytes
    id: str


class Objects:
    """Trees and files of a repository on this machine."""

    def __init__(self, process: Popen[bytes]) -> None:
        self._process = process

    def tree_at(self, commit: str, path: str) -> str:
        """The tree of a folder in a commit; empty when there is none."""
        tree = self._read(f"{commit}^{{tree}}")[1]
        for step in filter(None, path.split("/")):
            if not tree:
                return ""
            tree = next((entry.id for entry in self.entries(tree) if entry == Entry(TREE, step.encode(), entry.id)), "")
        return tree

    def entries(self, tree: str) -> Iterator[Entry]:
        """What a tree holds."""
        content = self._read(tree)[2]
        size = len(tree) // 2
        position = 0
        while position < len(content):
            end = content.index(b"\0", position)
            mode, _space, name = content[position:end].partition(b" ")
            position = end + 1 + size
            yield Entry(mode.decode("ascii", "replace"), name, content[end + 1 : position].hex())

    def files_of(self, tree: str) -> dict[str, File]:
        """Every file below a tree; raises Damage for what is not a plain file, or too much."""
        budget = FileBudget()
        found: dict[str, File] = {}
        self._collect(tree, "", 0, budget, found)
        return found

    def _collect(self, tree: str, folder: str, depth: int, budget: FileBudget, found: dict[str, File]) -> None:
        if depth > DEEPEST:
            raise Damage(f"{folder} is nested more than {DEEPEST} folders deep")
        for entry in self.entries(tree):
            try:
                path = folder + entry.name.decode("utf-8")
            except UnicodeDecodeError:
                raise Damage(f"the name of a file in {folder or 'its folder'} is not text in UTF-8") from None
            check_path(path)
            if entry.mode == TREE:
                self._collect(entry.id, f"{path}/", depth + 1, budget, found)
            elif entry.mode in FILES:
                found[path] = File(self._blob(entry.id, path, budget), entry.mode == PROGRAM)
            elif entry.mode == SUBMODULE:
                raise Damage(f"{path} is a submodule; put its files into the product's folder")
            else:
                raise Damage(f"{path} is not a plain file")

    def _blob(self, name: str, path: str, budget: FileBudget) -> bytes:
        """The content of a file; what is too large is passed over without keeping it."""
        requests, answers = self._pipes()
        size = self._ask(requests, answers, name)[2]
        try:
            budget.add(path, size)
        except Damage:
            for start in range(0, size, CHUNK):
                answers.read(min(CHUNK, size - start))
            answers.read(1)
            raise
        content = answers.read(size)
        answers.read(1)
        return content

    def _read(self, name: str) -> tuple[str, str, bytes]:
        """(kind, id, content) of an object; all empty for one that is not there."""
        requests, answers = self._pipes()
        kind, own, size = self._ask(requests, answers, name)
        if not kind:
            return "", "", b""
        content = answers.read(size)
        answers.read(1)
        return kind, own, content

    def _ask(self, requests: IO[bytes], answers: IO[bytes], name: str) -> tuple[str, str, int]:
        requests.write(f"{name}\n".encode())
        requests.flush()
        answer = answers.readline().decode("utf-8", "replace").split()
        if len(answer) == 3 and answer[2].isdigit():
            return answer[1], answer[0], int(answer[2])
        if answer[-1:] == ["missing"]:
            return "", "", 0
        raise PermanentError("git cannot read an object of the repository: it is damaged")

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process.stdin is None or self._process.stdout is None:
            raise PermanentError("git takes no requests")
        return self._process.stdin, self._process.stdout


@contextmanager
def objects_in(repository: Path, git: GitProgram) -> Iterator[Objects]:
    """The objects of a repository, for as long as the block runs."""
    process = git.start("cat-file", "--batch", at=repository, reads=True)
    try:
        yield Objects(process)
    finally:
        end_process(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
