"""What outcomes cost, for all intents and for one."""

from dataclasses import replace
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from intents.decisions import Costs
from intents.models.intents import Intent

# A wrong answer that is worse than a hundred hand-overs means a bot that never answers.
COST_MOST = 100.0
_USUAL = Costs()


def _cost(label: Any, **options: Any) -> Any:
    return models.FloatField(
        label, validators=[MinValueValidator(0.0), MaxValueValidator(COST_MOST)], **options
    )


class DecisionCosts(models.Model):
    """What outcomes cost, one row; the bot decides so that the expected cost is least."""

    wrong_answer = _cost(_("a wrong answer"), default=_USUAL.wrong_answer)
    clarification = _cost(_("asking what was meant"), default=_USUAL.clarification)
    hand_over = _cost(_("handing over to a human"), default=_USUAL.hand_over)
    missed = _cost(_("answering what is none of our topics"), default=_USUAL.missed)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("costs of decisions")
        verbose_name_plural = _("costs of decisions")

    def __str__(self) -> str:
        return f"{self.wrong_answer:g} / {self.clarification:g} / {self.hand_over:g}"

    def as_costs(self) -> Costs:
        return Costs(self.wrong_answer, self.clarification, self.hand_over, self.missed)


class IntentCosts(models.Model):
    """What differs for one intent when it is the likeliest; empty fields are as for all."""

    intent = models.OneToOneField(
        Intent, models.CASCADE, related_name="costs", verbose_name=_("intent")
    )
    wrong_answer = _cost(_("a wrong answer"), null=True, blank=True)
    clarification = _cost(_("asking what was meant"), null=True, blank=True)
    hand_over = _cost(_("handing over to a human"), null=True, blank=True)
    missed = _cost(_("answering what is none of our topics"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("costs of an intent")
        verbose_name_plural = _("costs of intents")

    def __str__(self) -> str:
        return str(self.intent)

    def over(self, costs: Costs) -> Costs:
        """Return these costs with what differs for the intent."""
        own = {
            name: value
            for name in ("wrong_answer", "clarification", "hand_over", "missed")
            if (value := getattr(self, name)) is not None
        }
        return replace(costs, **own)
