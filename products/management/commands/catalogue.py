"""`manage.py catalogue …`: the catalogue from the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import OutsideError, Refusal
from products.adoption.adopt import AdoptionRefused, adopt_composition
from products.adoption.pinning import PinningRefused, image_names, pin_images
from products.models import ConfigRepo
from products.services import add_config_repo, import_catalogue
from products.source_check import CheckedSource, check_folder


class Command(BaseCommand):
    """`sync` imports the catalogue; `check`, `adopt`, `name` and `pin` are for authors and pipelines."""

    help = "Work with the catalogue of products (CATALOGUE_URL)."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        sync = commands.add_parser("sync", help="Sync now; exits with 1 when a product is refused.")
        sync.add_argument("--lenient", action="store_true", help="A refused product is not an error.")
        sync.add_argument("--repo", help="The name of a config-repo; the one of the settings without it.")

        add = commands.add_parser(
            "add", help="Add a git repository or a folder as a config-repo; for GitLab see the admin."
        )
        add.add_argument("name", help="What to call it.")
        add.add_argument("address", help="The address of a git repository, or the path of a folder.")

        check = commands.add_parser("check", help="Find all problems of a folder; exits with 1 when there are any.")
        check.add_argument("path", type=Path, help="A catalogue, or the folder of one product.")
        check.add_argument("--trusted", action="store_true", help="As for products that staff trust with the server.")

        adopt = commands.add_parser("adopt", help="Make a product folder of an existing compose file.")
        adopt.add_argument("file", type=Path, help="The compose file; its folder stays as it is.")
        adopt.add_argument("--into", type=Path, required=True, help="A new folder for the product, or a catalogue.")

        name = commands.add_parser("name", help="Name the images that each product builds, for a pipeline.")
        name.add_argument("path", type=Path, help="A catalogue.")
        name.add_argument("--registry", required=True, help="Where images are pushed to.")
        name.add_argument("--tag", required=True, help="The tag of the images.")
        name.add_argument("--into", type=Path, required=True, help="A folder for <slug>.yaml, a second compose file.")

        pin = commands.add_parser("pin", help="Write digests of images into the compose files, in place of builds.")
        pin.add_argument("path", type=Path, help="A catalogue; its compose files are changed.")
        pin.add_argument("--locks", type=Path, required=True, help="A folder with <slug>.yaml for each product.")

    def handle(self, *args: Any, **options: Any) -> None:
        """The subcommand is run by its own method."""
        getattr(self, f"handle_{options['subcommand']}")(**options)

    def handle_add(self, *, name: str, address: str, **_options: Any) -> None:
        """The config-repo is there, and can be read."""
        try:
            repo = add_config_repo(name=name, address=address)
        except (Refusal, OutsideError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{repo}: {repo.get_kind_display()}, {repo.address}")

    def handle_sync(self, *, lenient: bool, repo: str | None = None, **_options: Any) -> None:
        """Every product is imported or refused."""
        row = ConfigRepo.objects.filter(name=repo).first() if repo else None
        if repo and row is None:
            names = ", ".join(ConfigRepo.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no config-repo “{repo}”; there are: {names}")
        try:
            result = import_catalogue(repo=row)
        except OutsideError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(result))
        if result.refused and not lenient:
            names = ", ".join(product.slug for product in result.refused)
            raise CommandError(f"Refused: {names}")

    def handle_check(self, *, path: Path, trusted: bool, **_options: Any) -> None:
        """Every problem with its file and line, warnings after errors."""
        results = check_folder(path, is_trusted=trusted)
        if not results:
            raise CommandError(f"{path} holds no product: a product is a folder with product.yaml and compose.yaml")
        summary = self._print_problems(results)
        if any(checked.errors for checked in results.values()):
            raise CommandError(summary)
        self.stdout.write(summary)

    def handle_adopt(self, *, file: Path, into: Path, **_options: Any) -> None:
        """A product folder, the list of changes, and what is left to do; its own check follows."""
        try:
            adoption = adopt_composition(file, into)
        except AdoptionRefused as error:
            raise CommandError(str(error)) from error
        for title, lines in (("Changed", adoption.changes), ("Left to do", adoption.to_do)):
            if lines:
                self.stdout.write(f"{title}:\n" + "\n".join(f"  - {line}" for line in lines))
        self.stdout.write("Check:")
        self.stdout.write(self._print_problems(check_folder(adoption.folder)))
        self.stdout.write(f"The product is in {adoption.folder}.")

    def handle_name(self, *, path: Path, registry: str, tag: str, into: Path, **_options: Any) -> None:
        """A file for each product that builds something."""
        into.mkdir(parents=True, exist_ok=True)
        for compose in _compose_files(path):
            slug = compose.parent.name
            with _refused(compose):
                names = image_names(compose.read_text(), prefix=f"{registry}/{slug}", tag=tag)
            if names["services"]:
                (into / f"{slug}.yaml").write_text(yaml.safe_dump(names))
                self.stdout.write(f"{slug}: {', '.join(names['services'])}")

    def handle_pin(self, *, path: Path, locks: Path, **_options: Any) -> None:
        """The compose files name what was built, by digest."""
        for compose in _compose_files(path):
            lock = locks / f"{compose.parent.name}.yaml"
            if not lock.is_file():
                raise CommandError(f"{lock} is missing: docker compose config --lock-image-digests writes it")
            images = yaml.safe_load(lock.read_text()) or {}
            with _refused(compose):
                pinned = pin_images(compose.read_text(), images)
            compose.write_text(pinned.text)
            left = f"; not pinned: {', '.join(pinned.left)}" if pinned.left else ""
            self.stdout.write(f"{compose.parent.name}: pinned{left}")

    def _print_problems(self, results: Mapping[Path, CheckedSource]) -> str:
        """Every problem on a line of its own; the counts as a sentence."""
        for folder, checked in results.items():
            for problem in (*checked.errors, *checked.warnings):
                where = f"{folder}/" if problem.file else f"{folder}: "
                self.stdout.write(f"{'warning: ' if problem.is_warning else ''}{where}{problem}")
        errors = sum(len(checked.errors) for checked in results.values())
        warnings = sum(len(checked.warnings) for checked in results.values())
        return f"{_count(len(results), 'product')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}."


def _compose_files(path: Path) -> list[Path]:
    """The compose file of each product of a catalogue."""
    files = sorted((path / "products").glob("*/compose.yaml"))
    if not files:
        raise CommandError(f"{path} holds no products: a product is a folder products/<slug>/ with compose.yaml")
    return files


@contextmanager
def _refused(compose: Path) -> Iterator[None]:
    """A refusal names the compose file."""
    try:
        yield
    except PinningRefused as error:
        raise CommandError(f"{compose}: {error}") from error


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
