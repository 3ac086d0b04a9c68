"""Regression sentences: added, put back, switched off, and read by the gate."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from intents import language
from intents.guard import normalize
from intents.models import Intent, Language
from training.models import RegressionCase

_KEY_MAX_CHARS = 500
_WORDS = ("text", "language", "intent", "decision", "origin", "created_by_id", "is_active")


@dataclass(frozen=True, slots=True)
class Kept:
    """A sentence as it was kept, and what the list said of it; both as `said` has it."""

    case: RegressionCase
    before: dict[str, Any] | None  # None: it was not on the list
    after: dict[str, Any]


def keep(
    *,
    text: str,
    now: datetime,
    intent: str = "",
    decision: str = "",
    origin: str = RegressionCase.Origin.WRITTEN,
    by: Any = None,
) -> Kept:
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
    try:
        with transaction.atomic():
            former = RegressionCase.objects.select_for_update().filter(key=case.key).first()
            if former is not None:
                case.pk = former.pk
            case.save()
            return Kept(case, said(former) if former is not None else None, said(case))
    except IntegrityError:  # somebody added the same sentence at the same moment: his stands
        his = RegressionCase.objects.get(key=case.key)
        return Kept(his, said(his), said(his))


def said(case: RegressionCase) -> dict[str, Any]:
    """Return all that is said of a sentence, as JSON holds it."""
    words = {name: getattr(case, name) for name in _WORDS}
    return {**words, "created_at": case.created_at.astimezone(UTC).isoformat()}


def put_back(case_id: int, *, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
    """Undo a `keep`: what the list said of the sentence before counts again, if anything did.

    What somebody has made of it since stays.

    Args:
        before, after: Of its `Kept`.
    """
    with transaction.atomic():
        case = RegressionCase.objects.select_for_update().filter(pk=case_id).first()
        if case is None or said(case) != after:
            return
        if before is None:
            case.is_active = False
        else:
            for name in _WORDS:
                setattr(case, name, before[name])
            case.created_at = datetime.fromisoformat(before["created_at"])
            author = get_user_model().objects.filter(pk=before["created_by_id"])
            if not author.exists():  # who has gone since
                case.created_by = None
        case.save()


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


def require_text(text: str) -> None:
    """Ask whether a text can be kept, whatever is expected of it.

    Raises:
        ValidationError: It is empty or too long.
    """
    if not normalize.visible(text).strip():
        raise ValidationError({"text": _("The text is empty.")})
    others = {field.name for field in RegressionCase._meta.fields} - {"text"}
    RegressionCase(text=text.strip()).clean_fields(exclude=others)


def _complete(case: RegressionCase) -> None:
    """Fill in key and language of a case, and accept it or say what is wrong with it.

    Raises:
        ValidationError: See `keep`.
    """
    require_text(case.text)
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
