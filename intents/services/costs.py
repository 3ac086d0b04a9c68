"""What the outcomes of a decision cost."""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from intents.decisions import Costs
from intents.models import DecisionCosts, Intent, IntentCosts
from intents.services.versions import content_changed

# Of one intent: by the names of `Costs`' fields, None where it costs what it costs for all.
OwnCosts = Mapping[str, float | None]


def validate_costs(costs: Costs, own: Mapping[str, OwnCosts]) -> None:
    """Accept costs for all intents and, by Intent.code, those of single ones.

    Raises:
        ValidationError: A cost is negative, no number or above a hundred. Its dictionary has
            the field's name, for an intent "code.field".
    """
    errors = {}
    rows: list[tuple[str, DecisionCosts | IntentCosts]] = [("", DecisionCosts(**asdict(costs)))]
    rows += [(f"{code}.", IntentCosts(**values)) for code, values in own.items()]
    for prefix, row in rows:
        try:
            row.clean_fields(exclude=["intent"])
        except ValidationError as error:
            errors.update({prefix + name: each for name, each in error.error_dict.items()})
        for field in fields(Costs):
            value = getattr(row, field.name)
            if value is not None and math.isnan(value):  # compares with no bound
                errors[prefix + field.name] = [ValidationError(_("Enter a number."), "invalid")]
    if errors:
        raise ValidationError(errors)


@transaction.atomic
def save_costs(costs: Costs, own: Mapping[str, OwnCosts]) -> None:
    """Save what outcomes cost; every process decides by it from now on.

    Args:
        own: By Intent.code. An intent with nothing of its own, or that is not named, costs
            what it costs for all.

    Raises:
        ValidationError: See `validate_costs`.
    """
    validate_costs(costs, own)
    row = DecisionCosts.objects.order_by("pk").first() or DecisionCosts()
    _write(row, asdict(costs))
    kept = {code: values for code, values in own.items() if _any(values)}
    for row_of_intent in IntentCosts.objects.exclude(intent__code__in=kept):
        row_of_intent.delete()
    there = {each.intent.code: each for each in IntentCosts.objects.select_related("intent")}
    for intent in Intent.objects.filter(code__in=kept):
        _write(there.get(intent.code) or IntentCosts(intent=intent), kept[intent.code])
    content_changed(understanding=False)


def _any(values: OwnCosts) -> bool:
    return any(value is not None for value in values.values())


def _write(row: DecisionCosts | IntentCosts, values: OwnCosts) -> None:
    """Save a row if that changes it: each save is a version in its history."""
    if row.pk and all(getattr(row, name) == value for name, value in values.items()):
        return
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
