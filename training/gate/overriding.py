"""Letting a version answer that the gate refused: somebody answers for it by name."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal
from training.models import GateOverride, GateVerdict

PERMISSION = "training.override_gate"
_LEAST_WORDS, _LEAST_CHINESE = 5, 10


class RefusedByGate(Refusal):
    """The gate refused the version, and nobody has overridden it."""

    code = "refused_by_gate"
    detail = _(
        "The gate refused this version. It can answer only after somebody who may has overridden "
        "the gate, with a reason."
    )


class ReasonTooShort(Refusal):
    """A reason that nobody could follow later."""

    code = "reason_too_short"
    detail = _("Write in a sentence why it may answer all the same: at least five words.")


class NothingToOverride(Refusal):
    """The gate did not refuse the version."""

    code = "nothing_to_override"
    detail = _("The gate did not refuse this version: there is nothing to override.")


def require_passed(version_id: int) -> None:
    """Check that the gate does not stand in a version's way. One or two queries.

    Versions of older releases have no verdict and may answer; so may one whose verdict is open,
    which a person promotes.

    Raises:
        RefusedByGate: It was refused, and nobody has overridden that.
    """
    refused = GateVerdict.objects.filter(
        version_id=version_id, outcome=GateVerdict.Outcome.REFUSED, overrides__isnull=True
    )
    if refused.exists():
        raise RefusedByGate


def override(*, version_id: int, by: Any, reason: str, now: datetime) -> GateOverride:
    """Write down that a refused version may answer; it is not activated by that.

    Raises:
        PermissionDenied: `by` may not.
        ReasonTooShort: Fewer than five words, or ten Chinese characters.
        NothingToOverride: It was not refused.
    """
    if not by.has_perm(PERMISSION):
        raise PermissionDenied
    reason = " ".join(reason.split())
    chinese = sum("\u4e00" <= character <= "\u9fff" for character in reason)
    if len(set(reason.split())) < _LEAST_WORDS and chinese < _LEAST_CHINESE:
        raise ReasonTooShort
    verdict = GateVerdict.objects.filter(
        version_id=version_id, outcome=GateVerdict.Outcome.REFUSED
    ).first()
    if verdict is None:
        raise NothingToOverride
    return GateOverride.objects.create(verdict=verdict, by=by, at=now, reason=reason)
