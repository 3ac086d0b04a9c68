"""Between the gate and the database: what it judges by, and what it found."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import datetime
from pathlib import Path

import numpy as np
from django.conf import settings

from intents import content, decisions
from intents.decisions import Decision
from intents.encoder import EncoderDirectory
from intents.guard import normalize
from intents.inference import Prediction, artifacts, vectors
from intents.inference.base import Floats
from intents.inference.loading import embedder_of
from intents.lineage import heir, later
from intents.models import Intent, IntentMigration, Utterance
from intents.review import deciding
from training import snapshots
from training.gate import out_of_scope
from training.gate.evidence import Case, Evidence, Labelled
from training.gate.judging import judge
from training.gate.limits import Limits
from training.gate.verdict import Verdict
from training.models import GateReadings, GateVerdict, ModelVersion, RegressionCase
from training.reports import Report
from training.utterances import Row

# Of what reviewers set aside: more prove no more, and both models read each.
SET_ASIDE_MOST = 500


def examine(
    directory: Path,
    *,
    active: ModelVersion | None,
    rows: Sequence[Row],
    report: Report,
    encoder: EncoderDirectory,
) -> Verdict:
    """Judge a finished model directory against the version that answers.

    Args:
        rows: The utterances that were there when the candidate was trained.
        report: What its training measured.

    Raises:
        BrokenArtifact: It cannot be loaded.
    """
    now = content.current()

    def decide(prediction: Prediction) -> str:
        answered = now.answered(prediction)
        return str(decisions.decide(answered, now) if answered.ranked else Decision.HAND_OVER)

    return judge(
        directory,
        settings.MODEL_DIR / active.name if active else None,
        evidence(rows, active, encoder, read_at=artifacts.load_manifest(directory).taught_at),
        limits=Limits.of_settings(),
        decide=decide,
        measured=(report.fp32.accuracy, report.int8.accuracy),
    )


def evidence(
    rows: Sequence[Row],
    active: ModelVersion | None,
    encoder: EncoderDirectory,
    *,
    read_at: datetime | None = None,
) -> Evidence:
    """Gather what a candidate is judged by, with few queries however much there is.

    Args:
        read_at: When the rows were read: what was renamed or merged since, has other codes now.
            None: now.
    """
    steps = IntentMigration.steps()
    if read_at is not None:
        since = later(steps, read_at)
        rows = [row._replace(code=heir(row.code, since)) for row in rows]
    former: list[Labelled] | None = None
    if active is not None:
        try:
            former = labelled(snapshots.rows_of(active), Utterance.Split.TRAIN)
        except snapshots.NoSnapshot:
            former = None
    cases = RegressionCase.objects.filter(is_active=True).order_by("pk")
    return Evidence(
        frozen=labelled(rows, Utterance.Split.EVALUATION),
        candidate_data=labelled(rows, Utterance.Split.TRAIN),
        active_data=former,
        embed=_Embedder(encoder),
        intents=frozenset(Intent.objects.filter(is_active=True).values_list("code", flat=True)),
        cases=[
            Case(*case) for case in cases.values_list("text", "intent", "decision", "created_at")
        ],
        out_of_scope=out_of_scope.texts(),
        set_aside=set_aside(rows),
        steps=steps,
    )


def set_aside(rows: Sequence[Row]) -> list[str]:
    """Return what reviewers found to mean none of the intents, the newest, as customers wrote it.

    Args:
        rows: What has become an utterance since means something now, and is left out.
    """
    taught = {normalize.key(row.text) for row in rows}
    texts = (text for text, _language in deciding.out_of_scope_examples())
    return [text for text in texts if normalize.key(text) not in taught][-SET_ASIDE_MOST:]


def labelled(rows: Iterable[Row], split: str) -> list[Labelled]:
    """Return the utterances for one use."""
    return [
        Labelled(row.text, row.code, row.language, row.family) for row in rows if row.split == split
    ]


def store(
    verdict: Verdict, *, version: ModelVersion, active: ModelVersion | None, now: datetime
) -> GateVerdict:
    """Keep a verdict with its version, and what both models said of each text."""
    stored = GateVerdict.objects.create(
        version=version,
        active=active,
        outcome=verdict.outcome,
        report=verdict.as_dict(),
        at=now,
    )
    GateReadings.objects.create(
        verdict=stored, rows=[list(astuple(reading)) for reading in verdict.readings]
    )
    return stored


class _Embedder:
    """Vectors from the database, where they are kept of utterances, else from the encoder."""

    def __init__(self, directory: EncoderDirectory) -> None:
        self._directory = directory
        self._known: dict[str, Floats] = {}

    def __call__(self, texts: Sequence[str]) -> Floats:
        self._known |= vectors.stored(
            self._directory.id, [text for text in texts if text not in self._known]
        )
        if missing := [text for text in dict.fromkeys(texts) if text not in self._known]:
            found = embedder_of(self._directory).embed(missing)
            self._known |= zip(missing, found, strict=True)
        return np.stack([self._known[text] for text in texts])
