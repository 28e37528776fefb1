"""A config-repo that git can reach: each tag is a state of the products, and so is the head."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from core.outside.address_guard import AddressGuard
from products.adapters.bundle import LARGEST, Damage, File, make_source
from products.adapters.tags import version_of
from products.contracts import DamagedSource, ProductSource

PASSED_ON = (
    *("PATH", "HOME", "SSH_AUTH_SOCK", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)
# Nobody is there to answer a question.
QUIET = {
    "GIT_ALLOW_PROTOCOL": "http:https:ssh:git:file",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=15",
    "LC_ALL": "C",
}

PORTS = {"http": 80, "https": 443, "ssh": 22, "git+ssh": 22, "ssh+git": 22, "git": 9418}
_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")
_USERINFO = re.compile(r"//[^/@\s]*@")
_SETTINGS = re.compile(
    r"authentication failed|could not read (username|password)|permission denied|access denied|access rights"
    r"|not found|does not exist|does not appear to be a git|not a git repository|host key verification"
    r"|dubious ownership|returned error: 40[0134]|invalid|unsupported protocol|unable to find remote helper",
    re.I,
)


@dataclass(frozen=True, slots=True)
class _State:
    """A commit that names a version: of one product, or, with no slug, of all it holds."""

    commit: str
    version: str
    slug: str = ""


class GitCatalogue:
    """Reads `products/<slug>/` of a git repository, at its tags (`v1.2`, `<slug>/v1.2`) and its head."""

    def __init__(
        self,
        url: str,
        *,
        branch: str = "",
        path: str = "",
        timeout: float = 120,
        guard: AddressGuard | None = None,
    ) -> None:
        self.url = url
        self.branch = branch
        self.root = f"{path.strip('/')}/products/".lstrip("/")
        self.timeout = timeout
        self.guard = guard

    def read(self) -> Sequence[ProductSource | DamagedSource]:
        """Every state of every product, oldest tag first, the head last."""
        check_git_url(self.url)
        with TemporaryDirectory(prefix="live-catalogue-") as folder:
            repository = Path(folder) / "catalogue.git"
            settings = guarded_settings(self.url, self.guard) if self.guard else []
            self._git(*settings, "clone", "--quiet", "--bare", "--", self.url, str(repository))
            sources = self._read_all(repository)
        if not sources:
            raise ConfigError(f"{self._shown} has no products: check CATALOGUE_URL")
        return sources

    @property
    def _shown(self) -> str:
        return _USERINFO.sub("//", self.url)

    def _read_all(self, repository: Path) -> list[ProductSource | DamagedSource]:
        sources: list[ProductSource | DamagedSource] = []
        by_tree: dict[tuple[str, str], ProductSource | DamagedSource] = {}
        for state in self._states(repository):
            for slug, tree in self._products(repository, state.commit):
                if state.slug in ("", slug):
                    if (slug, tree) not in by_tree:
                        by_tree[slug, tree] = self._read_product(repository, slug, tree, state.version)
                    sources.append(by_tree[slug, tree])
        return sources

    def _states(self, repository: Path) -> Iterator[_State]:
        form = "--format=%(objectname) %(*objectname) %(refname:lstrip=2)"
        tags = self._git(
            "for-each-ref", "--sort=version:refname", "--sort=creatordate", form, "refs/tags", at=repository
        )
        for line in tags.decode().splitlines():
            own, peeled, name = line.split(" ", 2)
            if found := version_of(name):
                slug, version = found
                yield _State(peeled or own, version, slug)
        head_name = f"refs/heads/{self.branch}" if self.branch else "HEAD"
        try:
            head = self._git("rev-parse", "--verify", "--quiet", head_name, at=repository).decode().strip()
        except OutsideError as error:
            raise ConfigError(f"{self._shown} has no commits: check CATALOGUE_URL") from error
        yield _State(head, head[:12])

    def _products(self, repository: Path, commit: str) -> Iterator[tuple[str, str]]:
        """The folders below `products/` of a commit, each with the hash of its content."""
        listing = self._git("ls-tree", "-z", commit, self.root, at=repository).decode("utf-8", "replace")
        for entry in filter(None, listing.split("\0")):
            about, path = entry.split("\t", 1)
            _mode, kind, tree = about.split(" ")
            slug = path.removeprefix(self.root)
            if kind == "tree" and not slug.startswith((".", "_")):
                yield slug, tree

    def _read_product(self, repository: Path, slug: str, tree: str, version: str) -> ProductSource | DamagedSource:
        archive = self._git("archive", "--format=tar", tree, at=repository)
        try:
            return make_source(slug, version, dict(_unpack(archive)))
        except Damage as damage:
            return DamagedSource(slug=slug, version=version, problem=str(damage))

    def _git(self, *arguments: str, at: Path | None = None) -> bytes:
        where = ("--git-dir", str(at)) if at else ()
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | QUIET
        try:
            process = subprocess.Popen(  # noqa: S603  (no shell; the address comes after `--`)
                ["git", *where, *arguments],  # noqa: S607  (found on the PATH, as the operator set it)
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise ConfigError("git is not installed here, and the catalogue is a git repository") from error
        try:
            out, complaint = process.communicate(timeout=self.timeout)
        except subprocess.TimeoutExpired as error:
            raise TransientError(f"{self._shown} did not answer within {self.timeout:.0f} seconds") from error
        finally:
            _end(process)
        if process.returncode:
            raise self._error(complaint.decode("utf-8", "replace"))
        return out

    def _error(self, complaint: str) -> OutsideError:
        lines = [line for line in complaint.splitlines() if line.startswith(("fatal:", "ERROR:", "remote:"))]
        reason = _USERINFO.sub("//", lines[-1].partition(":")[2].strip() if lines else "git failed without a message")
        message = f"{self._shown} cannot be read: {reason[:300]}"
        return ConfigError(message) if _SETTINGS.search(complaint) else TransientError(message)


def check_git_url(url: str) -> None:
    """Raises ConfigError for an address by which git would run a program or take it for an option."""
    if url.startswith("-") or _HELPER.match(url) or any(sign in url for sign in "\0\r\n"):
        raise ConfigError(f"“{url[:60]}” is not an address of a git repository: use https://, ssh:// or git@host:path")


def host_of(url: str) -> tuple[str, int]:
    """The host and port that git would connect to; an empty host for a path of this machine."""
    if "://" in url:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    host, colon, _path = url.rpartition("@")[2].partition(":")
    return (host, PORTS["ssh"]) if colon and "/" not in host else ("", 0)


def guarded_settings(url: str, guard: AddressGuard) -> list[str]:
    """Settings by which git connects to what the guard allows; raises AddressBlocked for any other address.

    Over HTTP git is held to the addresses that were judged, and follows no redirect.
    """
    host, port = host_of(url)
    if not host:
        return []
    try:
        addresses = guard.resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise TransientError(f"the name {host} is not found") from error
    if not url.lower().startswith("http"):
        return []
    pinned = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    return ["-c", "http.followRedirects=false", "-c", f"http.curloptResolve={host}:{port}:{pinned}"]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Neither git nor the programs it started for the transport run any more."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _unpack(archive: bytes) -> Iterator[tuple[str, File]]:
    if len(archive) > LARGEST:
        raise Damage(f"its files are larger than {LARGEST // 1024**2} MB together")
    try:
        with tarfile.open(fileobj=BytesIO(archive), mode="r:") as members:
            for member in members:
                content = members.extractfile(member) if member.isfile() else None
                if content is not None:
                    yield member.name, File(content.read(), bool(member.mode & 0o100))
                elif not member.isdir():
                    raise Damage(f"{member.name} is not a plain file")
    except tarfile.TarError as error:
        raise PermanentError("git made an archive that cannot be read") from error
