"""One training from utterances to a registered model. Runs in the worker's process only."""

import shutil
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from intents import encoder
from intents.encoder import EncoderDirectory
from intents.guard import normalize
from intents.inference import artifacts, vectors
from training import readiness, registry, services, snapshots, utterances
from training.gate import recording, wording
from training.gate.verdict import Outcome
from training.kept import Kept
from training.models import TrainingRun
from training.progress import Reporter
from training.quick import train_quick
from training.reports import Report


def make(run_id: int, report: Reporter) -> None:
    """Train, measure and register a model; let it answer customers if it passes the gate.

    Until the very end everything lies in the run's work directory; the active model is
    touched last, by one call.

    Raises:
        Exception: Anything that goes wrong; `failures.explain` has words for it.
    """
    run = TrainingRun.objects.get(pk=run_id)
    name = f"v{run.pk}-{timezone.localtime():%Y%m%d-%H%M%S}"
    report("read", 0.0)
    read_at = timezone.now()
    material = _material(run, report)
    directory = encoder.ensure(lambda _step, fraction: report("encoder", fraction))
    unfinished = services.work_directory(run_id) / name
    train = _train_quick if run.mode == TrainingRun.Mode.QUICK else _train_thorough
    result = train(run, material, directory, unfinished, report)
    snapshots.write(unfinished, material.rows, read_at=read_at)
    _note_result(result, report)
    report("judge", 0.0)
    active = registry.active()
    verdict = recording.examine(
        unfinished, active=active, rows=material.rows, report=result, encoder=directory
    )
    finished = unfinished.rename(settings.MODEL_DIR / name)
    try:
        with transaction.atomic():
            version = registry.register(
                name=name,
                run_id=run_id,
                encoder=directory.id,
                labels=material.labels,
                utterances=len(material.train),
                mode=run.mode,
                fingerprint=result.manifest.data["fingerprint"],
                size=sum(path.stat().st_size for path in finished.iterdir()),
                fp32=result.fp32,
                int8=result.int8,
                scored=result.scored,
                now=timezone.now(),
            )
            recording.store(verdict, version=version, active=active, now=timezone.now())
    except BaseException:
        shutil.rmtree(finished, ignore_errors=True)  # nobody would ever find it
        raise
    if verdict.outcome != Outcome.PASSED:
        report.note(_("{version} does not answer customers:").format(version=version))
        for reason in (*verdict.reasons, *verdict.doubts):
            report.note(f"- {wording.reason(reason)}")
        return
    services.begin_takeover(run_id)  # raises: not for a run that was given up meanwhile
    registry.activate(version_id=version.pk, now=timezone.now())
    report.note(_("{version} answers customers from now on.").format(version=version))


def _material(run: TrainingRun, report: Reporter) -> utterances.Material:
    """Read what the run learns from, looked at as it was when the run was asked for."""
    ready = readiness.check(mode=run.mode, seed=run.seed)
    material = ready.material
    report.note(
        _(
            "{intents} intents: {train} utterances to learn from, {dev} to stop by, "
            "{evaluation} to measure with."
        ).format(
            intents=len(material.labels),
            train=len(material.train),
            dev=len(material.dev),
            evaluation=len(material.evaluation) or _("the same"),
        )
    )
    for warning in ready.warnings:
        report.note(warning)
    return material


def _train_thorough(
    run: TrainingRun,
    material: utterances.Material,
    directory: EncoderDirectory,
    out: Path,
    report: Reporter,
) -> Report:
    from training.fit import Parameters, train_model  # loads torch

    parameters = Parameters(
        batch_size=run.batch_size,
        epochs=run.epochs,
        learning_rate=run.learning_rate,
        max_tokens=run.max_tokens,
        patience=run.patience,
        seed=run.seed,
        device=run.device,
        threads=settings.TRAINING_THREADS,
    )
    return train_model(
        material.train,
        material.dev,
        encoder=directory,
        out=out,
        parameters=parameters,
        progress=report,
        on_epoch=report.epoch,
        evaluation=material.evaluation,
    )


def _train_quick(
    run: TrainingRun,
    material: utterances.Material,
    directory: EncoderDirectory,
    out: Path,
    report: Reporter,
) -> Report:
    result = train_quick(
        material.train,
        material.dev,
        encoder=directory,
        out=out,
        network=_kept(run, material, directory, report),
        progress=report,
        evaluation=material.evaluation,
    )
    if kept := result.manifest.parameters["network"]:
        report.note(_("The network of {version} was kept under new heads.").format(version=kept))
    else:
        report.note(_("There was no network to keep: the encoder alone was used."))
    return result


def _kept(
    run: TrainingRun,
    material: utterances.Material,
    directory: EncoderDirectory,
    report: Reporter,
) -> Kept:
    """Keep the network of the model in service; where it cannot be used, the encoder."""
    active = registry.active()
    if active is not None:
        try:
            kept = Kept.of_model(settings.MODEL_DIR / active.name, directory)
        except artifacts.BrokenArtifact as broken:
            report.note(
                _("The network of {version} is not kept: {why}").format(version=active, why=broken)
            )
        else:
            if kept is not None:
                return kept
    kept = Kept.of_encoder(directory, max_tokens=run.max_tokens)
    texts = [normalize.for_model(row.text) for row in material.rows]
    kept.remember(vectors.stored(directory.id, texts))
    return kept


def _note_result(result: Report, report: Reporter) -> None:
    for precision, measures in (("fp32", result.fp32), ("int8", result.int8)):
        report.note(
            _(
                "{precision}: right in {accuracy:.1%} of {texts} texts, macro-F1 {f1:.3f}, "
                "calibration error {error:.3f}"
            ).format(
                precision=precision,
                accuracy=measures.accuracy,
                texts=measures.texts,
                f1=measures.macro_f1,
                error=measures.calibration_error,
            )
        )
