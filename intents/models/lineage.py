"""What became of intents whose codes changed."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from intents.lineage import Step
from intents.models.intents import Intent


class IntentMigration(models.Model):
    """One step: an intent was renamed, merged into another, or split. Never changed afterwards.

    Models and logs keep the codes of their time; `intents.lineage` reads them by these rows.
    """

    class Kind(models.TextChoices):
        RENAMED = "RENAMED", _("renamed")
        MERGED = "MERGED", _("merged into another")
        SPLIT = "SPLIT", _("split up")

    kind = models.CharField(_("kind"), max_length=7, choices=Kind)
    source = models.CharField(_("code before"), max_length=40)  # Intent.code
    targets = models.JSONField(_("codes after"))  # [Intent.code, …]; of a split the source too
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )

    class Meta:
        verbose_name = _("intent migration")
        verbose_name_plural = _("intent migrations")

    def __str__(self) -> str:
        return f"{self.source} → {', '.join(self.targets)}"

    @classmethod
    def steps(cls) -> tuple[Step, ...]:
        """Return all that still hold, oldest first. One query.

        A merger switches its source off: somebody who has switched that on again took it back.
        """
        again = Intent.objects.filter(is_active=True).values("code")
        holding = cls.objects.exclude(kind=cls.Kind.MERGED, source__in=again)
        rows = holding.order_by("pk").values_list("at", "source", "targets")
        return tuple(Step(at, source, tuple(targets)) for at, source, targets in rows)
