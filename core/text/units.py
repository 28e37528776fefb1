"""How much a machine has, as people read it."""

from __future__ import annotations

from django.utils.translation import gettext, ngettext


def cpu_words(cpus: int | None) -> str:
    """'1 CPU', '4 CPUs', or '? CPUs' where nobody has told."""
    if cpus is None:
        return gettext("? CPUs")
    return ngettext("%(cpus)s CPU", "%(cpus)s CPUs", cpus) % {"cpus": cpus}
