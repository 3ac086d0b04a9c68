"""Regression sentences: added, switched off, and read by the gate."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from intents import language
from intents.guard import normalize
from intents.models import Intent, Language
from training.models import RegressionCase

_KEY_MAX_CHARS = 500


def keep(
    *,
    text: str,
    now: datetime,
    intent: str = "",
    decision: str = "",
    origin: str = RegressionCase.Origin.WRITTEN,
    by: Any = None,
) -> RegressionCase:
    """Have the gate hold every later model to this; of one sentence the latest word counts.

    Args:
        text: Without personal data: it is kept for good.
        intent: Intent.code that it must be understood as; "" for any.
        decision: RegressionCase.Decision that must follow; "" for any.

    Raises:
        ValidationError: Nothing is expected, the text is empty or too long, or there is no such
            intent.
    """
    case = RegressionCase(
        text=text.strip(),
        intent=intent,
        decision=decision,
        origin=origin,
        created_by=by,
        created_at=now,
    )
    _complete(case)
    expected = {
        name: getattr(case, name)
        for name in ("text", "language", "intent", "decision", "origin", "created_by", "created_at")
    }
    try:
        with transaction.atomic():
            return RegressionCase.objects.update_or_create(
                key=case.key, defaults={**expected, "is_active": True}
            )[0]
    except IntegrityError:  # somebody added the same sentence at the same moment: his stands
        return RegressionCase.objects.get(key=case.key)


def save(case: RegressionCase) -> RegressionCase:
    """Save a case as somebody wrote or changed it.

    Raises:
        ValidationError: See `keep`; also where another case is the same sentence.
    """
    _complete(case)
    taken = ValidationError({"text": _("This sentence is on the list already.")})
    if RegressionCase.objects.filter(key=case.key).exclude(pk=case.pk).exists():
        raise taken
    try:
        with transaction.atomic():
            case.save()
    except IntegrityError as error:
        raise taken from error
    return case


def _complete(case: RegressionCase) -> None:
    """Fill in key and language of a case, and accept it or say what is wrong with it.

    Raises:
        ValidationError: See `keep`.
    """
    if not normalize.visible(case.text).strip():
        raise ValidationError({"text": _("The text is empty.")})
    if not case.intent and not case.decision:
        raise ValidationError(_("Say which intent or which decision is expected."))
    if case.intent and not Intent.objects.filter(code=case.intent).exists():
        raise ValidationError(
            {
                "intent": ValidationError(
                    _("There is no intent “%(code)s”."), params={"code": case.intent}
                )
            }
        )
    case.key = normalize.key(case.text)[:_KEY_MAX_CHARS]
    if not case.language:
        case.language = language.detect(case.text) or Language.CHINESE
    case.full_clean(exclude=["key"])
