"""Why conversations end: what agents choose from when they end one."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Disposition(models.Model):
    """How a conversation came out: resolved, duplicate, spam, …"""

    name = models.CharField(_("name"), max_length=60, unique=True)
    name_en = models.CharField(
        _("name in English"), max_length=60, blank=True, help_text=_("Empty: the same name.")
    )
    position = models.PositiveSmallIntegerField(
        _("position"), default=100, help_text=_("Lowest first.")
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Off: nobody can choose it any more.")
    )

    class Meta:
        verbose_name = _("disposition")
        verbose_name_plural = _("dispositions")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        """Its name in the language of the reader."""
        is_english = (get_language() or "").startswith("en")
        return (self.name_en if is_english else "") or self.name
