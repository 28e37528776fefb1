"""Where invoice numbers come from."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class NumberSeries(models.Model):
    """The last number drawn in one series and year: gapless, because it is drawn in the issuing transaction."""

    series = models.CharField(_("series"), max_length=20)
    year = models.PositiveSmallIntegerField(_("year"))
    last = models.PositiveIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("number series")
        verbose_name_plural = _("number series")
        constraints = (models.UniqueConstraint(fields=("series", "year"), name="one_series_per_year"),)

    def __str__(self) -> str:
        return f"{self.series}{self.year}-{self.last:05d}"

    @classmethod
    def draw(cls, series: str, year: int, count: int) -> list[str]:
        """The next `count` numbers; they are free again if the caller's transaction does not commit."""
        cls.objects.get_or_create(series=series, year=year)
        row = cls.objects.select_for_update().get(series=series, year=year)
        first = row.last + 1
        row.last += count
        row.save(update_fields=("last",))
        return [f"{series}{year}-{number:05d}" for number in range(first, first + count)]
