"""What a config-repo may send: whatever it is, it is refused in a sentence, and nothing has changed."""

from __future__ import annotations

import gzip
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from core.errors import ConfigError, OutsideError, PermanentError
from core.text.plain_text import is_plain_text
from live.demo.gitlab.repository import Repository as ServedRepository
from live.demo.gitlab.server import WRITE, GitLabDouble
from products.catalogue_import import ImportOutcome, ImportResult
from products.models import ConfigRepo, Plan, Product, Release, ReleaseBundle
from products.services import change_repo_secrets, import_catalogue
from tests.products.adapters.test_git import Repository
from tests.products.conftest import COMPOSE, MANIFEST, write_product

pytestmark = [
    pytest.mark.usefixtures("remembered_compositions"),
    pytest.mark.django_db,
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
]
MEGABYTE = 1024 * 1024
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two good products, tagged."""
    root = tmp_path / "config-repo"
    root.mkdir()
    repository = Repository(root)
    for slug in ("maps", "more"):
        write_product(root, slug)
    repository.commit("v1.0")
    return repository


@pytest.fixture(params=["gitlab", "git", "folder"])
def repo(request: pytest.FixtureRequest, repository: Repository, settings: Settings) -> Iterator[ConfigRepo]:
    """The same repository, as a project on GitLab, by git, and as a folder."""
    settings.ALLOWED_PRIVATE_RANGES = ["127.0.0.0/8"]
    if request.param != "gitlab":
        yield ConfigRepo.objects.create(name="Maps", kind=request.param, address=str(repository.root))
        return
    with GitLabDouble(ServedRepository(repository.root), tokens={"writer": WRITE}).serve() as address:
        row = ConfigRepo.objects.create(name="Maps", kind="gitlab", address=address, project="sdi/catalogue")
        change_repo_secrets(repo=row, token="writer")
        yield row


def sync(repo: ConfigRepo, *, is_full: bool = False) -> ImportResult:
    """A sync of what has changed."""
    repo.refresh_from_db()
    return import_catalogue(repo=repo, is_full=is_full)


def everything() -> list[Any]:
    """What customers and orders see of the catalogue."""
    products = Product.objects.order_by("slug").values_list("slug", "name", "state", "present_release")
    plans = Plan.objects.order_by("pk").values_list("slug", "price", "state")
    releases = Release.objects.order_by("pk").values_list("version", "digest", "manifest", "compose")
    return [*products, *plans, *releases, *ReleaseBundle.objects.order_by("pk").values_list("archive")]


Spoil = Callable[[Path], object]


def write(name: str, content: str | bytes) -> Spoil:
    """A file of the product is something else."""
    return lambda folder: (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def manifest(old: str, new: str) -> Spoil:
    """The manifest with a piece replaced."""
    assert old in MANIFEST
    return write("product.yaml", MANIFEST.replace(old, new))


def link(folder: Path) -> None:
    """A symbolic link out of the folder."""
    (folder / "passwd").symlink_to("/etc/passwd")


def nest(folder: Path) -> None:
    """Folders in folders."""
    deep = folder.joinpath(*["a"] * 40)
    deep.mkdir(parents=True)
    (deep / "file").touch()


CYCLE = "services: {gateway: {image: 'a:1', depends_on: [b]}, b: {image: 'b:1', depends_on: [gateway]}}"
CASES: dict[str, tuple[Spoil, str]] = {
    "bomb in the manifest": (write("product.yaml", BOMB), "more than 50000 values once its aliases are written out"),
    "bomb in the composition": (write("compose.yaml", BOMB), "more than 50000 values once its aliases"),
    "alias of itself": (write("product.yaml", "a: &a [*a]"), "an alias stands for itself"),
    "alias of nothing": (write("product.yaml", "a: *b"), "found undefined alias"),
    "tag that makes objects": (write("product.yaml", "!!python/object/apply:os.system [id]"), "tags such as"),
    "two documents": (write("product.yaml", "a: 1\n---\nb: 2"), "found another document"),
    "10 MB manifest": (write("product.yaml", b"#" * 10 * MEGABYTE), "product.yaml is larger than 8 MB"),
    "1 MB manifest": (write("product.yaml", b"#" * MEGABYTE), "The file is larger than 256 kB."),
    "10 MB composition": (write("compose.yaml", b"#" * 10 * MEGABYTE), "compose.yaml is larger than 8 MB"),
    "10 MB of data": (write("data.tif", b"\0" * 10 * MEGABYTE), "data.tif is larger than 8 MB"),
    "empty manifest": (write("product.yaml", ""), "this has to be a mapping of names"),
    "list for a mapping": (write("product.yaml", "- name: Maps"), "this has to be a mapping of names"),
    "number for a text": (manifest("name: Map server", "name: 7"), "name: use text, not 7."),
    "text for a number": (manifest("cpus: 1", "cpus: one"), "plans[0].size.cpus: use a whole number, not “one”."),
    "text for a list": (manifest("secrets:\n  -", "secrets: none\ninputs2:\n  -"), "secrets: use a list, not “none”."),
    "not a number": (manifest("cpus: 1", "cpus: .nan"), "a value is neither text nor a number"),
    "date": (manifest("name: Map server", "name: 2026-01-01"), "put dates in quotes"),
    "unknown key": (manifest("summary:", "colour: red\nsummary:"), "colour: this key is unknown"),
    "unknown key of a service": (
        write("compose.yaml", COMPOSE.replace("build: .", "build: .\n    colour: red")),
        "services.gateway.colour",
    ),
    "key given twice": (manifest("summary:", "name: Again\nsummary:"), "“name” is given twice"),
    "plan given twice": (manifest("slug: large", "slug: small"), "plans[1].slug: “small” is already used by plans[0]."),
    "services in a circle": (write("compose.yaml", CYCLE), "cycle"),
    "manifest that is not UTF-8": (write("product.yaml", "name: café".encode("latin-1")), "not text in UTF-8"),
    "composition that is not UTF-8": (write("compose.yaml", b"\xff\xfe\0"), "not text in UTF-8"),
    "binary manifest": (write("product.yaml", b"\x7fELF\0\0"), "contains a control character"),
    "symbolic link": (link, "passwd is not a plain file"),
    "file outside the folder": (
        write("compose.yaml", COMPOSE.replace("maps:/srv/maps", "../../secret:/srv/maps")),
        "services.gateway.volumes[0]",
    ),
    "no composition": (lambda folder: (folder / "compose.yaml").unlink(), "it has no compose.yaml"),
    "no manifest": (lambda folder: (folder / "product.yaml").unlink(), "it has no product.yaml"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_product_is_refused_in_a_sentence_and_changes_nothing(
    case: str, repo: ConfigRepo, repository: Repository
) -> None:
    spoil, sentence = CASES[case]
    sync(repo)
    before = everything()
    spoil(repository.root / "products" / "maps")
    repository.commit()
    (result,) = sync(repo).products
    assert (result.slug, result.outcome) == ("maps", ImportOutcome.REFUSED)
    assert sentence in "\n".join(result.reasons)
    assert everything() == before
    assert sentence in Product.objects.get(slug="maps").import_error


@pytest.mark.parametrize("repo", ["gitlab", "git"], indirect=True)
def test_tag_that_was_moved_is_refused(repo: ConfigRepo, repository: Repository) -> None:
    sync(repo)
    write_product(repository.root, compose=COMPOSE + "# two\n")
    repository.commit()
    repository.git("tag", "-f", "v1.0")
    sync(repo)
    sync(repo, is_full=True)
    assert Release.objects.get(product__slug="maps", version="v1.0").compose == COMPOSE
    assert Product.objects.get(slug="maps").state == Product.State.ON_SALE


def tree(repository: Repository, *entries: tuple[str, str, str]) -> str:
    """A tree with entries that git itself would not write."""
    content = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(own) for mode, name, own in entries)
    command = ["git", "-C", str(repository.root), "hash-object", "-t", "tree", "-w", "--literally", "--stdin"]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode().strip()


def commit_tree(repository: Repository, maps: str) -> None:
    """The head holds this tree as the product `maps`."""
    products = tree(repository, ("40000", "maps", maps))
    commit = repository.git("commit-tree", tree(repository, ("40000", "products", products)), "-p", "HEAD", "-m", "x")
    repository.git("update-ref", "refs/heads/main", commit.strip())


@pytest.mark.parametrize("repo", ["gitlab", "git"], indirect=True)
@pytest.mark.parametrize(
    ("mode", "name", "sentence"),
    [
        ("100644", "..", ".. leads out of the product's folder"),
        ("100644", "../../evil", "../../evil leads out of the product's folder"),
        ("100644", "/etc/cron.d/evil", "leads out of the product's folder"),
        ("100644", ".git", ".git leads out of the product's folder"),
        ("100644", "a\\b", "leads out of the product's folder"),
        ("160000", "module", "module is a submodule"),
        ("120000", "link", "link is not a plain file"),
    ],
)
def test_tree_that_git_would_not_write_is_refused(
    repo: ConfigRepo, repository: Repository, mode: str, name: str, sentence: str
) -> None:
    sync(repo)
    before = everything()[:2]
    blob = repository.git("rev-parse", "HEAD:products/maps/product.yaml").strip()
    own = repository.git("rev-parse", "HEAD").strip() if mode == "160000" else blob
    commit_tree(repository, tree(repository, (mode, name, own), ("100644", "product.yaml", blob)))
    found = {product.slug: product for product in sync(repo, is_full=True).products}
    assert sentence in "\n".join(found["maps"].reasons)
    assert everything()[0] == before[0]


@pytest.mark.parametrize("repo", ["gitlab", "git"], indirect=True)
def test_trees_that_multiply_are_not_walked_to_their_end(repo: ConfigRepo, repository: Repository) -> None:
    blob = repository.git("rev-parse", "HEAD:products/maps/product.yaml").strip()
    inner = tree(repository, *(("100644", f"f{number}", blob) for number in range(10)))
    for _level in range(9):
        inner = tree(repository, *(("40000", f"d{number}", inner) for number in range(10)))
    commit_tree(repository, inner)
    found = {product.slug: product for product in sync(repo, is_full=True).products}
    assert found["maps"].reasons == ("it has more than 2000 files",)


# --- Archives of GitLab -------------------------------------------------------------------------------------------
def archive(*members: tuple[str, dict[str, Any]], content: bytes = b"x") -> bytes:
    """A tar.gz as GitLab sends it, with members of any kind."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for name, options in members:
            member = tarfile.TarInfo(f"catalogue-main/{name}")
            member.size = len(content) if not options else 0
            for key, value in options.items():
                setattr(member, key, value)
            file.addfile(member, BytesIO(content) if not options else None)
    return packed.getvalue()


def refusal_of(repo: ConfigRepo) -> str:
    """Why the sync, or its only product, was refused."""
    try:
        (result,) = sync(repo).products
    except PermanentError as error:
        return str(error)
    return "\n".join(result.reasons)


MANIFEST_ONLY: tuple[str, dict[str, Any]] = ("products/maps/product.yaml", {})
ARCHIVES = {
    "path that leads out": (archive(("products/maps/../../evil", {})), "../../evil leads out of the product's folder"),
    "absolute path": (archive(("products/maps//etc/evil", {})), "leads out of the product's folder"),
    "symbolic link": (
        archive(("products/maps/link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"})),
        "link is not a plain file",
    ),
    "hard link": (
        archive(("products/maps/link", {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"})),
        "link is not a plain file",
    ),
    "device": (archive(("products/maps/null", {"type": tarfile.CHRTYPE})), "null is not a plain file"),
    "named pipe": (archive(("products/maps/pipe", {"type": tarfile.FIFOTYPE})), "pipe is not a plain file"),
    "zeros": (archive(("products/maps/zeros", {}), content=b"\0" * 10 * MEGABYTE), "zeros is larger than 8 MB"),
    "half an archive": (archive(MANIFEST_ONLY)[:40], "cannot be read"),
    "text": (b"<html>sign in</html>", "cannot be read"),
    "compressed noise": (gzip.compress(b"\xff" * 4096), "cannot be read"),
}


@pytest.mark.parametrize("repo", ["gitlab"], indirect=True)
@pytest.mark.parametrize("case", ARCHIVES)
def test_archive_that_leads_elsewhere_is_refused(
    case: str, repo: ConfigRepo, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, sentence = ARCHIVES[case]
    sync(repo)
    before = everything()
    write_product(repository.root, compose=COMPOSE + "# two\n")
    repository.commit()
    monkeypatch.setattr(ServedRepository, "archive", lambda *_arguments: content)
    assert sentence in refusal_of(repo)
    assert everything() == before


# --- Addresses of git ---------------------------------------------------------------------------------------------
ADDRESSES = [
    "ext::sh -c 'touch {flag}'",
    "fd::17/x",
    "transport::address",
    "--upload-pack=touch {flag}",
    "-c protocol.ext.allow=always",
    "ssh://-oProxyCommand=touch${{IFS}}{flag}/x",
    "-oProxyCommand=touch {flag}:x.git",
    "https://example.org/a.git\nhttps://evil.example",
    "a\0b",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_address_that_would_run_a_program_reads_nothing(address: str, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    repo = ConfigRepo(name="Bad", kind="git", address=address.format(flag=flag))
    if "\0" not in address:
        repo.save()
        with pytest.raises(OutsideError):
            import_catalogue(repo=repo)
    assert not flag.exists()
    assert not Product.objects.exists()


@pytest.mark.parametrize("address", [address for address in ADDRESSES if "ssh://" not in address])
def test_address_of_the_settings_is_held_to_the_same(address: str, tmp_path: Path, settings: Settings) -> None:
    settings.CATALOGUE_URL = "git+" + address.format(flag=tmp_path / "flag")
    with pytest.raises(ConfigError, match="is not an address of a git repository"):
        import_catalogue()
    assert not (tmp_path / "flag").exists()
    repo = ConfigRepo.objects.get(is_default=True)
    assert "is not an address of a git repository" in repo.last_error
    assert is_plain_text(repo.address)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"CATALOGUE_URL": "/srv/a\0b"}, "/srv/ab"),
        ({"CATALOGUE_URL": "/srv/" + "a" * 400}, "/srv/" + "a" * 294 + "…"),
        ({"GITLAB_URL": "http://127.0.0.1:1/a\0b", "GITLAB_PROJECT": "sdi/a\0b"}, "http://127.0.0.1:1/ab"),
    ],
)
def test_setting_that_no_column_can_hold_is_refused_in_a_sentence(
    given: dict[str, str], shown: str, settings: Settings
) -> None:
    for name, value in given.items():
        setattr(settings, name, value)
    with pytest.raises(OutsideError):
        import_catalogue()
    repo = ConfigRepo.objects.get(is_default=True)
    assert (repo.address, is_plain_text(repo.project)) == (shown, True)
    assert repo.last_error
    assert is_plain_text(repo.last_error)
