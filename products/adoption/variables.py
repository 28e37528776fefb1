"""What becomes of the variables of a compose file and of its `.env`: inputs, generated secrets, defaults. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from products.adoption.document import Notes, Path, as_mapping, rewrite
from products.composition.advice import is_secret_name
from products.composition.variables import (
    PLATFORM,
    Kind,
    Variable,
    closing_brace,
    is_reserved,
    kinds_of,
    refusal_of,
)

_REFERENCE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(:?[-?+])?(.*)", re.S)
_DOMAIN = re.compile(r"(^|_)(FQDN|DOMAIN|DOMAIN_?NAME|HTTP_HOST|PUBLIC_HOST|SITE_HOST(_NAME)?)$", re.I)
_ADDRESS = re.compile(r"(^|_)(SITE_?URL|PUBLIC_URL|BASE_URL|PUBLIC_LOCATION|EXTERNAL_URL)$", re.I)
_INPUT = re.compile(
    r"(^|_)(TITLE|E?MAIL|ORGANI[SZ]ATION|CONTACT|LANGUAGE|LOCALE|THEME|SITE_?NAME|INSTANCE_NAME|DESCRIPTION)$", re.I
)
_URL_PASSWORD = re.compile(r"(://[^:/@\s]+:)([^@/\s$]+)(?=@)")
_URL_HOST = re.compile(r"^https?://[^/]*")
_SIMPLE = re.compile(r"[^${}\"'\\\n]*")
NOT_PASSWORDS = ("", "true", "false", "yes", "no")
_KEY_LENGTH = 50


@dataclass(slots=True)
class VariablePlan:
    """Which variables become inputs and secrets, and what the others' values are."""

    values: Mapping[str, str]
    """Of the `.env` file."""
    notes: Notes
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    """The name that each variable's secret has in the product: variables with the same value share one."""
    secret_values: dict[str, str] = field(default_factory=dict)
    """The secret that takes the place of each old value."""

    def add_secret(self, name: str, value: str) -> str:
        """The variable that holds the generated secret from now on."""
        reference = re.fullmatch(r"\$\{?(\w+)\}?", value)
        if reference and reference[1] in self.secrets:
            secret, value = self.secrets[reference[1]], ""
        elif value and value in self.secret_values:
            secret = self.secret_values[value]
        else:
            secret = self.secrets.get(name) or variable_name(name)
        self.secrets[name] = secret
        if value:
            self.secret_values[value] = secret
        return secret

    def hide_passwords(self, text: str) -> str:
        """The text with known passwords in URLs replaced by the secrets that hold them now."""

        def hidden(found: re.Match[str]) -> str:
            secret = self.secret_values.get(found[2])
            return f"{found[1]}${{{secret}}}" if secret else found[0]

        return _URL_PASSWORD.sub(hidden, text)

    @property
    def manifest_parts(self) -> dict[str, list[dict[str, Any]]]:
        """The manifest's `inputs` and `secrets`."""
        secrets = [{"key": name.lower(), "label": label_of(name)} for name in dict.fromkeys(self.secrets.values())]
        return {"inputs": list(self.inputs.values()), "secrets": secrets}

    @property
    def kinds(self) -> dict[str, Kind]:
        """Who fills each variable."""
        return kinds_of(self.manifest_parts)

    def resolve(self, path: Path, text: str, depth: int = 0) -> str:
        """The text with each variable kept where an order fills it, and given or replaced by its value elsewhere."""
        if depth > 10:
            self.notes.task(f"The variables in “{text[:60]}” refer to each other; write the value out.")
            return text
        return substitute(text, lambda variable: self._replacement(variable, path, text, depth))

    def _replacement(self, variable: Variable, path: Path, text: str, depth: int) -> str:
        name = variable.name
        if name in PLATFORM:
            return f"${{{name}}}"
        if name in self.secrets:
            return f"${{{self.secrets[name]}}}"
        if name in self.inputs:
            return f"${{{name}}}"
        if _DOMAIN.search(name) and not refusal_of(Variable("LIVE_DOMAIN"), path, text, self.kinds):
            self.notes.change(f"{name} is the order's own address now (LIVE_DOMAIN).")
            return "${LIVE_DOMAIN}"
        value = self.resolve(path, self._value(variable), depth + 1)
        if _ADDRESS.search(name) and _URL_HOST.match(value):
            self.notes.change(f"{name} has the order's own address as its host now (LIVE_DOMAIN).")
            return _URL_HOST.sub("http://${LIVE_DOMAIN}", value)
        kept = Variable(name, ":-", value)
        if _SIMPLE.fullmatch(value) and not is_reserved(name) and not refusal_of(kept, path, text, self.kinds):
            return f"${{{name}:-{value}}}"
        return value

    def _value(self, variable: Variable) -> str:
        """What Compose would fill in."""
        value = self.values.get(variable.name)
        is_set = value is not None and (value != "" or not variable.operator.startswith(":"))
        if variable.operator.endswith("+"):
            return variable.argument if is_set else ""
        if is_set:
            return str(value)
        if variable.operator.endswith("-"):
            return variable.argument
        self.notes.task(f"Nothing sets {variable.name}; it is empty now: give it a default, or make it an input.")
        return ""


def plan_variables(data: dict[str, Any], values: Mapping[str, str], notes: Notes) -> VariablePlan:
    """What each variable of the compose file and of its `.env` becomes."""
    plan = VariablePlan(values=values, notes=notes)
    uses = _uses(data)
    defaults = {variable.name: variable.argument for variable, _p, _t in uses if variable.operator.endswith("-")}
    used = {variable.name for variable, _p, _t in uses}
    # Those without references first: a password may be defined by another.
    names = sorted(
        used, key=lambda name: ("$" in values.get(name, ""), list(values).index(name) if name in values else 0)
    )
    for name in names:
        if is_secret_name(name) and name not in PLATFORM:
            plan.add_secret(name, values.get(name) or defaults.get(name, ""))
    for name, value in _written_secrets(data):
        plan.add_secret(name, value)
    for name in names:
        value = values.get(name) or defaults.get(name, "")
        is_plain = "$" not in value and name == variable_name(name) and not is_reserved(name)
        if not _INPUT.search(name) or name in plan.secrets or not is_plain or len(value) > 200:
            continue
        plan.inputs[name] = _input_spec(name, value)
        if any(refusal_of(variable, path, text, plan.kinds) for variable, path, text in uses if variable.name == name):
            del plan.inputs[name]
    plan.values = {name: plan.hide_passwords(value) for name, value in values.items()}
    if plan.secrets:
        notes.change(f"Generated for each order: {', '.join(dict.fromkeys(plan.secrets.values()))}.")
    if plan.inputs:
        notes.change(f"Chosen by the customer: {', '.join(plan.inputs)}.")
    return plan


def use_secrets(data: dict[str, Any], plan: VariablePlan) -> dict[str, Any]:
    """The composition with passwords that were written out replaced by the generated ones, in URLs too."""

    def change(path: Path, text: str) -> str:
        if path[:1] != ("services",) or len(path) < 4 or path[2] != "environment":
            return text
        if is_secret_name(str(path[3])) and text in plan.secret_values:
            return f"${{{plan.secret_values[text]}}}"
        return plan.hide_passwords(text)

    return dict(rewrite(data, change))


def substitute(text: str, replace: Callable[[Variable], str]) -> str:
    """`text` with each `$name` and `${name…}` replaced; `$$` stays."""
    pieces: list[str] = []
    position = 0
    while (dollar := text.find("$", position)) != -1:
        pieces.append(text[position:dollar])
        after = dollar + 1
        if text.startswith("$", after):
            pieces.append("$$")
            position = after + 1
        elif text.startswith("{", after):
            end = closing_brace(text, after)
            found = _REFERENCE.fullmatch(text[after + 1 : end])
            variable = Variable(found[1], found[2] or "", found[3]) if found else None
            pieces.append(replace(variable) if variable else text[dollar : end + 1])
            position = end + 1
        elif found := re.compile(r"[A-Za-z_][A-Za-z0-9_]*").match(text, after):
            pieces.append(replace(Variable(found[0])))
            position = found.end()
        else:
            pieces.append("$$")
            position = after
    return "".join((*pieces, text[position:]))


def variable_name(name: str) -> str:
    """A name that a manifest's key can have, upper-cased."""
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")[:_KEY_LENGTH].strip("_")
    plain = plain if plain[:1].isalpha() else f"V{plain}"
    return f"OWN_{plain}" if is_reserved(plain) else plain


def label_of(name: str) -> str:
    """A title that people can read."""
    return name.replace("_", " ").strip().capitalize()


def _input_spec(name: str, value: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"key": name.lower(), "label": label_of(name), "type": "string"}
    if re.search(r"(^|_)E?MAIL$", name, re.I) and (not value or re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value)):
        spec["type"] = "email"
    return {**spec, "default": value} if value else spec


def _uses(data: dict[str, Any]) -> list[tuple[Variable, Path, str]]:
    found: list[tuple[Variable, Path, str]] = []

    def note(path: Path, text: str) -> str:
        def collect(variable: Variable) -> str:
            found.append((variable, path, text))
            substitute(variable.argument, collect)
            return ""

        substitute(text, collect)
        return text

    rewrite(data, note)
    return found


def _written_secrets(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for service in data["services"].values():
        for name, value in as_mapping(service.get("environment")).items():
            text = "" if value is None else str(value)
            if is_secret_name(name) and "$" not in text and text.lower() not in NOT_PASSWORDS:
                yield name, text
