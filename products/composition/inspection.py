"""Everything that can be said of a composition before anybody orders it. Compose is asked through a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from products.composition.advice import model_advice, plain_secrets
from products.composition.engine_values import engine_findings
from products.composition.fitness import endpoint_findings, file_findings
from products.composition.problems import Problem
from products.composition.recipes import recipe_findings
from products.composition.refusals import refusal
from products.composition.safe_list.declarations import DECLARED
from products.composition.safe_list.judgement import judge_model
from products.composition.safe_list.rules import Context
from products.composition.sources import COMPOSE, Sources, read_sources
from products.composition.stand_ins import hostile, ordinary, sparse
from products.composition.startup import startup_of
from products.composition.text import CompositionError, Document, check_services, place_of
from products.composition.variables import PER_SERVICE, Kind, host_view, kinds_of, refusal_of, variables_in
from products.contracts import ComposeModel, ComposeReader, ComposeRefused

PASSED_BY_NAME = ("args", "environment")
MANIFEST = "product.yaml"


@dataclass(slots=True)
class Inspection:
    """A composition under judgement; `problems` grows step by step."""

    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]
    """As far as it can be used: `inputs`, `secrets` and `endpoints` that are well formed."""
    reader: ComposeReader
    is_trusted: bool = False
    problems: list[Problem] = field(default_factory=list)
    sources: Sources = field(default_factory=Sources)
    model: ComposeModel | None = None
    """What Compose makes of the composition with usual inputs; None where it cannot."""

    def run(self) -> list[Problem]:
        """All problems and warnings, each place's first sentence only, in the order of the files' lines."""
        self.sources = read_sources(self.files)
        self.problems += self.sources.problems
        if self._is_composition():
            self._judge_text()
            # Compose reads files on this machine: never ones that are not the product's own.
            if not self.sources.problems:
                self._judge_models()
        return _tidied(self.problems)

    def _is_composition(self) -> bool:
        main = next((document for document in self.sources.documents if document.path == COMPOSE), None)
        if main is None:
            if COMPOSE not in self.files:
                self._add(COMPOSE, "", _("the file is missing."))
            return False
        try:
            check_services(main.data)
        except CompositionError as error:
            self.problems += [Problem(file=COMPOSE, message=problem) for problem in error.problems]
            return False
        return True

    # --- The text ---------------------------------------------------------------------------------------------------
    def _judge_text(self) -> None:
        kinds = kinds_of(self.manifest)
        for document in self.sources.documents:
            self.problems += _variable_problems(document, kinds, is_trusted=self.is_trusted)
        main = self.sources.documents[0]
        for place, message in plain_secrets(main.data):
            self._add(COMPOSE, place, message, is_warning=True)
        if not self.is_trusted:
            # Compose leaves out what no service uses; the next release may use it.
            for place, message in DECLARED(main.data, Context()):
                self._add(COMPOSE, place, message)

    # --- The models -------------------------------------------------------------------------------------------------
    def _judge_models(self) -> None:
        usual = self.model = self._read(ordinary(self.manifest))
        if usual is None:
            return
        self._judge(usual)
        self._judge_values(usual)
        self._advise(usual)
        for environment, message in (
            (sparse(self.manifest), _("with inputs left empty: %(problem)s")),
            (hostile(self.manifest), _("with what a customer may type: %(problem)s")),
        ):
            if environment != ordinary(self.manifest):
                self._compare(usual, environment, message)

    def _judge_values(self, read: ComposeModel) -> None:
        """What no engine accepts; a value with variables is known at the launch only."""
        filled = {place_of(path) for _document, path, _value, _variable in self._variables()}
        for place, message in engine_findings(read.model):
            if place not in filled:
                self._add_by_place(place, message)

    def _compare(self, usual: ComposeModel, environment: Mapping[str, str], message: str) -> None:
        other = self._read(environment, message)
        if other is None:
            return
        self._judge(other)
        if not self.is_trusted and _rootless(host_view(other.model), other) != _rootless(host_view(usual.model), usual):
            self._add(COMPOSE, "services", _("what reaches the server differs with the inputs; write it out."))

    def _read(self, environment: Mapping[str, str], form: str = "%(problem)s") -> ComposeModel | None:
        """The model with all profiles; Compose's refusal of what would be launched becomes a problem."""
        filled = {**dict.fromkeys(self._unfilled(), "1"), **environment}
        model: ComposeModel | None = None
        try:
            model = self.reader.read(self.sources.files, filled)
            self._note_unset(model)
            if any(b"profiles" in content for content in self.sources.files.values()):
                model = self.reader.read(self.sources.files, filled, all_profiles=True)
        except ComposeRefused as error:
            found = refusal(str(error), self.sources.documents)
            message = form % {"problem": found.message}
            if not self._is_known(found):
                self._add(found.file, found.place, message, line=found.line)
            if model is None:
                model = self._read_inconsistent(filled)
        return model

    def _is_known(self, found: Problem) -> bool:
        """True when what Compose refuses follows from an error that is on the list already."""
        errors = [problem for problem in self.problems if not problem.is_warning and problem.file == found.file]
        return bool(found.place) and any(problem.place.startswith(found.place) for problem in errors)

    def _read_inconsistent(self, environment: Mapping[str, str]) -> ComposeModel | None:
        """The model without Compose's check of itself, so that the rest of the problems come at once."""
        try:
            return self.reader.read(self.sources.files, environment, all_profiles=True, is_checked=False)
        except ComposeRefused:
            return None

    def _unfilled(self) -> set[str]:
        kinds = kinds_of(self.manifest)
        names = {variable.name for _d, _p, _v, variable in self._variables() if not variable.has_fallback}
        return names - kinds.keys()

    def _note_unset(self, model: ComposeModel) -> None:
        """A variable that nothing fills, in a file with settings where the text of compose.yaml does not show it."""
        shown = {variable.name for _d, _p, _v, variable in self._variables()}
        for name in model.unset:
            if name not in shown:
                holding = (path for path, content in self.sources.files.items() if name.encode() in content)
                message = _("nothing fills ${%(name)s}: make it an input or a secret, or write ${%(name)s:-default}.")
                self._add(next(holding, COMPOSE), "", message % {"name": name})

    def _variables(self) -> Iterator[tuple[Document, tuple[str | int, ...], str, Any]]:
        for document in self.sources.documents:
            for path, value in document.scalars():
                for variable in variables_in(value) if isinstance(value, str) else ():
                    yield document, path, value, variable

    def _judge(self, read: ComposeModel) -> None:
        for violation in judge_model(read.model, trusted=self.is_trusted, root=read.root):
            message = violation.message.replace(f"{read.root}/", "").replace(str(PurePosixPath(read.root).parent), "..")
            self._add_by_place(violation.place, message)
        if len(self.files) > 1:  # else the text alone is judged
            for place, message in file_findings(read.model, read.root, self.files):
                self._add_by_place(place, message)
        if not self.is_trusted:
            for place, message in recipe_findings(read.model, read.root, self.files):
                self._add_by_place(place, message)
        startup = startup_of(read.model)
        for place, message in endpoint_findings(self.manifest.get("endpoints") or (), read.model, startup):
            self._add(MANIFEST, place, message)

    def _advise(self, read: ComposeModel) -> None:
        for place, message in model_advice(read.model, startup_of(read.model)):
            self._add_by_place(place, message, is_warning=True)

    # --- Places -----------------------------------------------------------------------------------------------------
    def _add_by_place(self, place: str, message: str, *, is_warning: bool = False) -> None:
        """A problem of the merged model, in the file that has most of its place."""
        found = max(self.sources.documents, key=lambda document: document.line_of(place)[0])
        self._add(found.path, place, message, is_warning=is_warning)

    def _add(self, file: str, place: str, message: str, *, line: int | None = None, is_warning: bool = False) -> None:
        document = next((each for each in self.sources.documents if each.path == file), None)
        if line is None and document is not None:
            line = document.line_of(place)[1]
        self.problems.append(Problem(file=file, place=place, message=message, line=line, is_warning=is_warning))


def _variable_problems(document: Document, kinds: Mapping[str, Kind], *, is_trusted: bool) -> Iterator[Problem]:
    for path, value in document.scalars():
        place = place_of(path)
        messages = [_passed_by_name(path, value, kinds)]
        for variable in variables_in(value) if isinstance(value, str) else ():
            if is_trusted and (variable.name in kinds or variable.has_fallback):
                continue
            messages.append(refusal_of(variable, path, str(value), kinds))
        for message in filter(None, messages):
            yield Problem(file=document.path, line=document.line_of(place)[1], place=place, message=message)


def _passed_by_name(path: tuple[str | int, ...], value: Any, kinds: Mapping[str, Kind]) -> str:
    """What is wrong with a variable that is passed on by its name alone; empty when it is filled."""
    name = ""
    if path[0] == "services" and len(path) > 3 and path[-2] in PASSED_BY_NAME:
        if isinstance(path[-1], int) and isinstance(value, str) and "=" not in value:
            name = value
        elif value is None:
            name = str(path[-1])
    elif path[0] in ("configs", "secrets") and path[2:] == ("environment",):
        name = str(value)
    if not name or "$" in name or name in kinds or name == PER_SERVICE:
        return ""
    return _("nothing fills “%(name)s”: give it a value, or make it an input or a secret.") % {"name": name}


def _rootless(value: Any, read: ComposeModel) -> Any:
    """The same value wherever the files were when Compose read them."""
    if isinstance(value, Mapping):
        return {key: _rootless(inner, read) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rootless(inner, read) for inner in value]
    return value.replace(read.root, ".") if isinstance(value, str) else value


def _tidied(problems: list[Problem]) -> list[Problem]:
    """Each place's first error of each file and line order; warnings only where there is no error."""
    kept: dict[tuple[str, str, str], Problem] = {}
    for problem in sorted(problems, key=lambda problem: problem.is_warning):
        key = (problem.file, problem.place, "" if problem.place else problem.message)
        kept.setdefault(key, problem)
    return sorted(kept.values(), key=lambda problem: (problem.is_warning, problem.file, problem.line or 0))
