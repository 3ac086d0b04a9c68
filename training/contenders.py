"""Who can be tried and compared: what answers now, versions in the registry, drafts that wait."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from intents import drafts
from intents.models import Draft
from intents.trials import ACTIVE, Contender, ContenderUnavailable
from training import registry
from training.models import ModelVersion

# Of each kind; older versions are compared by their verdicts.
_MOST_OFFERED = 30


@dataclass(frozen=True, slots=True)
class Choice:
    """A contender, and what people call it."""

    contender: Contender
    name: str

    @property
    def key(self) -> str:
        return self.contender.key


def active() -> Choice:
    """Return what answers customers now. One query."""
    version = registry.active()
    name = version.name if version else _("without a trained model")
    return Choice(ACTIVE, _("in service: {version}").format(version=name))


def versions() -> list[Choice]:
    """Return the versions that are not in service, the newest first. Two queries."""
    current = registry.active()
    rows = ModelVersion.objects.order_by("-created_at", "-pk")
    if current is not None:
        rows = rows.exclude(pk=current.pk)
    names = rows.values_list("name", flat=True)[:_MOST_OFFERED]
    return [Choice(Contender(version=name), name) for name in names]


def waiting_drafts() -> list[Choice]:
    """Return the drafts that are not published yet, the newest first. One query."""
    rows = Draft.objects.filter(status__in=drafts.WAITING).order_by("-changed_at", "-pk")
    return [
        Choice(Contender(draft=pk), _("draft “{title}”").format(title=title))
        for pk, title in rows.values_list("pk", "title")[:_MOST_OFFERED]
    ]


def find(key: str) -> Choice:
    """Return the contender of a key, if it is one that can be tried.

    Raises:
        ContenderUnavailable: It is none, or not there any more.
    """
    try:
        contender = Contender.from_key(key)
    except ValueError as wrong:
        raise ContenderUnavailable from wrong
    offered = (
        [active()] if contender == ACTIVE else versions() if contender.version else waiting_drafts()
    )
    for choice in offered:
        if choice.contender == contender:
            return choice
    raise ContenderUnavailable
