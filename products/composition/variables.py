"""Where a composition uses variables, and which may stand where. Pure.

Compose fills variables into the text before it parses a value, so a variable may stand only where any text is fine, or
where the author alone decides what the values are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any

from django.utils.translation import gettext as _

PLATFORM = ("LIVE_ORDER", "LIVE_CUSTOMER", "LIVE_PRODUCT", "LIVE_RELEASE", "LIVE_DOMAIN")
PER_SERVICE = "LIVE_SERVICE"

RESERVED = frozenset(
    """ALL_PROXY BASHOPTS BASH_ENV CDPATH CLASSPATH CURL_CA_BUNDLE DIRSTACK ENV EPOCHREALTIME EPOCHSECONDS EUID
    FTP_PROXY FUNCNAME GCONV_PATH GETCONF_DIR GLIBC_TUNABLES GROUPS HISTCMD HISTFILE HOME HOSTALIASES HOSTNAME
    HTTPS_PROXY HTTP_PROXY IFS JAVA_HOME JAVA_OPTIONS JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS LC_ALL LINENO
    LISTEN_FDS LOCALDOMAIN LOCPATH LOGNAME MALLOC_TRACE NIS_PATH NLSPATH NODE_EXTRA_CA_CERTS NODE_OPTIONS
    NODE_PATH NOTIFY_SOCKET NO_PROXY OLDPWD OPENSSL_CONF OPTARG OPTERR OPTIND PATH PERL5LIB PERL5OPT PHPRC
    PHP_INI_SCAN_DIR PIPESTATUS POSIXLY_CORRECT PPID PROMPT_COMMAND PS1 PS2 PS3 PS4 PWD RANDOM REPLY
    REQUESTS_CA_BUNDLE RESOLV_HOST_CONF RES_OPTIONS RUBYLIB RUBYOPT SECONDS SHELL SHELLOPTS SHLVL SRANDOM
    SSL_CERT_DIR SSL_CERT_FILE TEMP TERM TMOUT TMP TMPDIR TZDIR UID USER""".split()  # noqa: SIM905  (names to be read, not a column)
)
RESERVED_PREFIXES = (
    *("BUILDKIT_", "BUILDX_", "COMPOSE_", "DOCKER_", "DYLD_", "GIT_", "LD_", "LIVE_", "PYTHON", "SSH_", "XDG_"),
)

Path = tuple[str | int, ...]
"""The keys and positions that lead to a value."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")


class Kind(Enum):
    """Who decides what a variable's value is."""

    TYPED = "typed"
    """The customer types it."""
    CHOSEN = "chosen"
    """The customer chooses among what the author allows: a choice, a number, yes or no."""
    GENERATED = "generated"
    """Generated for each order."""
    PLATFORM = "platform"
    FIXED = "fixed"
    """Nothing fills it: it is always its own default."""


class Level(IntEnum):
    """How much a place takes; each takes what the ones before it take."""

    NOTHING = 0
    FIXED = 1
    CHOSEN = 2
    ARGUMENTS = 3
    """Text that Compose splits into words."""
    TEXT = 4


@dataclass(frozen=True, slots=True)
class Variable:
    """One use of a variable: `${name}`, `${name:-argument}` and the like."""

    name: str
    operator: str = ""
    argument: str = ""

    @property
    def has_fallback(self) -> bool:
        """True when the text says what to use where nothing fills the variable."""
        return self.operator.endswith(("-", "+"))


def is_reserved(name: str) -> bool:
    """True of a name that programs, Docker or Compose read themselves."""
    return name in RESERVED or name.startswith(RESERVED_PREFIXES)


def variables_in(text: str) -> Iterator[Variable]:
    """Every variable that Compose fills in `text`, those within defaults included."""
    position = text.find("$")
    while position != -1:
        after = position + 1
        if text.startswith("$", after):
            after += 1
        elif text.startswith("{", after):
            end = closing_brace(text, after)
            yield from _braced(text[after + 1 : end])
            after = end
        elif name := _NAME.match(text, after):
            yield Variable(name[0])
            after = name.end()
        position = text.find("$", after)


def kinds_of(manifest: Mapping[str, Any]) -> dict[str, Kind]:
    """The variables that an order of the product fills, by name."""
    kinds = dict.fromkeys(PLATFORM, Kind.PLATFORM)
    for spec in manifest.get("inputs") or ():
        is_chosen = spec["type"] in ("choice", "integer", "boolean")
        kinds[str(spec["key"]).upper()] = Kind.CHOSEN if is_chosen else Kind.TYPED
    for spec in manifest.get("secrets") or ():
        kinds[str(spec["key"]).upper()] = Kind.GENERATED
    return kinds


def level_at(path: Path, value: str) -> Level:
    """What a place of a compose file takes; where nothing is known, no variable at all."""
    section, keys = path[0], path[2:]
    if str(section).startswith("x-") or (keys and str(keys[0]).startswith("x-")):
        return Level.TEXT  # judged where it is used
    if path == ("name",):
        return Level.TEXT  # the platform gives the project its name
    for prefix, level in _LEVELS.get(str(section), {}).items():
        if keys[: len(prefix)] == prefix:
            rest = keys[len(prefix) :]
            if prefix[-1] in _PAIRS and rest and isinstance(rest[0], int) and _name_has_variable(value):
                return Level.NOTHING
            return Level.ARGUMENTS if prefix[-1] in _COMMANDS and not rest else level
    return Level.NOTHING


def refusal_of(variable: Variable, path: Path, value: str, kinds: Mapping[str, Kind]) -> str:
    """Why the variable may not stand at the place; empty when it may."""
    message, level, kind = "", level_at(path, value), kinds.get(variable.name, Kind.FIXED)
    if level is Level.NOTHING:
        message = _("${%(name)s} is not allowed here: what reaches the server cannot depend on variables.")
    elif variable.name == PER_SERVICE:
        message = _("${%(name)s} differs from service to service and is only known inside the containers.")
    elif kind is Kind.FIXED and is_reserved(variable.name):
        message = _("${%(name)s} is read by programs, Docker or Compose themselves: use another name.")
    elif kind is Kind.FIXED and not variable.has_fallback:
        message = _("nothing fills ${%(name)s}: make it an input or a secret, or write ${%(name)s:-default}.")
    elif _NEEDED[kind] <= level:
        return ""
    elif level is Level.ARGUMENTS:
        message = _("${%(name)s} is what a customer types: write the command as a list, so that it stays one argument.")
    elif level is Level.FIXED:
        message = _("${%(name)s} is not allowed here: it differs from order to order; write the value out.")
    else:
        message = _("${%(name)s} is not allowed here: use an input of type choice, integer or boolean.")
    return message % {"name": variable.name}


_NEEDED = {
    Kind.FIXED: Level.FIXED,
    Kind.CHOSEN: Level.CHOSEN,
    Kind.PLATFORM: Level.CHOSEN,
    Kind.GENERATED: Level.ARGUMENTS,
    Kind.TYPED: Level.TEXT,
}
_COMMANDS = ("command", "entrypoint")
_PAIRS = ("args", "environment", "labels")
"""Lists of `name=value`."""


def _paths(level: Level, text: str) -> dict[tuple[str | int, ...], Level]:
    return {tuple(path.split(".")): level for path in text.split()}


_LABELS = _paths(Level.TEXT, "labels")
_LEVELS: dict[str, dict[tuple[str | int, ...], Level]] = {
    "services": _paths(
        Level.TEXT,
        """environment labels build.args build.labels deploy.labels command entrypoint healthcheck.test hostname
        domainname""",
    )
    | _paths(
        Level.CHOSEN,
        """image user working_dir platform pull_policy ports expose tty stdin_open init stop_grace_period stop_signal
        cpu_count cpu_percent cpu_period cpu_quota cpu_shares cpus cpuset mem_limit mem_reservation mem_swappiness
        memswap_limit pids_limit shm_size ulimits deploy.resources.limits.cpus deploy.resources.limits.memory
        deploy.resources.limits.pids deploy.resources.reservations.cpus deploy.resources.reservations.memory
        healthcheck.interval healthcheck.timeout healthcheck.retries healthcheck.start_period
        healthcheck.start_interval healthcheck.disable logging.options build.target build.shm_size
        build.dockerfile_inline build.platforms build.no_cache build.pull""",
    )
    | _paths(Level.FIXED, "scale deploy.replicas restart read_only"),
    "configs": _paths(Level.TEXT, "content") | _LABELS,
    "secrets": _LABELS,
    "volumes": _LABELS,
    "networks": _LABELS,
}


def host_view(model: Mapping[str, Any]) -> dict[str, Any]:
    """What of Compose's model no variable may change: all that is left without the places that take one."""
    view: dict[str, Any] = {}
    for section, members in model.items():
        taking = [path for path, level in _LEVELS.get(section, {}).items() if level >= Level.CHOSEN]
        if section.startswith("x-") or not isinstance(members, Mapping):
            continue
        view[section] = {name: _without(member, taking) for name, member in members.items()}
    return view


def _without(value: Any, paths: list[Path]) -> Any:
    if not isinstance(value, Mapping):
        return value
    kept = {}
    for key, inner in value.items():
        below = [path[1:] for path in paths if path[0] == key]
        if () not in below:
            kept[key] = _without(inner, below)
        elif key == "labels":
            kept[key] = sorted(inner)
    return kept


def _name_has_variable(value: str) -> bool:
    """True of an item such as `${X}` or `${X}=1`: the variable would choose the name."""
    return "$" in value.partition("=")[0].replace("$$", "")


def closing_brace(text: str, opening: int) -> int:
    """Where the brace that opens at `opening` is closed; the end of the text when it never is."""
    depth = 0
    for position in range(opening, len(text)):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if not depth:
                return position
    return len(text)


def _braced(inner: str) -> Iterator[Variable]:
    name = _NAME.match(inner)
    if name is None:
        return  # Compose says so
    operator = _OPERATOR.match(inner, name.end())
    argument = inner[operator.end() :] if operator else ""
    yield Variable(name[0], operator[0] if operator else "", argument)
    yield from variables_in(argument)
