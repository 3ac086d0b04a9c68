"""How well intents are understood that the model has not learnt."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LiveIntent(models.Model):
    """How well an intent is understood by examples that the model in service has not learnt.

    Written as a whole by the engine whenever content or model have changed; without a model
    all intents are here. Not a foreign key: a row says something about one content version.
    """

    intent = models.CharField(_("intent"), max_length=40, unique=True)  # Intent.code
    is_trained = models.BooleanField(_("the model knows the intent"))
    utterances = models.PositiveIntegerField(_("new utterances"))
    judged = models.PositiveIntegerField(_("taken away in turn"))  # the newest of them
    found = models.PositiveIntegerField(_("found again"))  # recognised by those that were left
    # [[Intent.code, times], …], most first: what those were taken for that were not found.
    confused_with = models.JSONField(_("confused with"), default=list)
    content_version = models.BigIntegerField(_("content version"))
    model_version = models.CharField(_("model version"), max_length=64, blank=True)
    measured_at = models.DateTimeField(_("measured at"))

    class Meta:
        verbose_name = _("intent that lives on examples")
        verbose_name_plural = _("intents that live on examples")

    def __str__(self) -> str:
        return self.intent
