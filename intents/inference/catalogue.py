"""What staff wrote, as classifiers read it: intents, utterances, and the version of both."""

from dataclasses import dataclass

from intents.guard import normalize
from intents.lineage import Step
from intents.models import ContentVersion, Intent, IntentMigration, Utterance


@dataclass(frozen=True, slots=True)
class Sentence:
    """A training utterance."""

    intent: str  # Intent.code
    text: str  # as models read it (normalize.for_model)
    key: str  # normalize.key
    family: str  # "" when it has none


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All intents and training utterances at one version; read once, never changed.

    Sentences of intents that are switched off are here too: they take part in every
    comparison, so that what they would have been given is not given to their neighbours.
    """

    version: int
    active: frozenset[str]
    names: dict[str, tuple[str, ...]]  # of each intent, in all languages
    sentences: tuple[Sentence, ...]
    steps: tuple[Step, ...] = ()  # by which codes of older models are read, oldest first


EMPTY = Catalogue(version=0, active=frozenset(), names={}, sentences=())


def current_version() -> int:
    """Return ContentVersion.understanding; 0 while there is no content yet. One query."""
    row = ContentVersion.objects.order_by("pk").values_list("understanding", flat=True).first()
    return row or 0


def read() -> Catalogue:
    """Read everything that answers depend on. Four queries."""
    # The version first: what is saved in between is then read again, never missed.
    version = current_version()
    intents = list(Intent.objects.values_list("code", "name_zh", "name_en", "is_active"))
    rows = (
        Utterance.objects.filter(split=Utterance.Split.TRAIN)
        .order_by("pk")
        .values_list("intent__code", "text", "key", "family")
    )
    return Catalogue(
        version=version,
        active=frozenset(code for code, _, _, is_active in intents if is_active),
        names={code: (name_zh, name_en) for code, name_zh, name_en, _ in intents},
        sentences=tuple(
            Sentence(code, normalize.for_model(text), key, family)
            for code, text, key, family in rows
        ),
        steps=IntentMigration.steps(),
    )
