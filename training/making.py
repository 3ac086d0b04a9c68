"""One training from utterances to a registered model. Runs in the worker's process only."""

import shutil
from pathlib import Path

import numpy as np
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from intents import encoder
from intents.encoder import EncoderDirectory
from intents.guard import normalize
from intents.inference import artifacts
from training import gate, registry, services, utterances
from training.datasets import Example
from training.fit import Parameters, Report, train_model
from training.models import ModelVersion, TrainingRun
from training.progress import Reporter


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
    material = utterances.read(run.seed)
    _note_material(material, report)
    directory = encoder.ensure(lambda _step, fraction: report("encoder", fraction))
    unfinished = services.work_directory(run_id) / name
    result = train_model(
        material.train,
        material.dev,
        encoder=directory,
        out=unfinished,
        parameters=Parameters(
            batch_size=run.batch_size,
            epochs=run.epochs,
            learning_rate=run.learning_rate,
            max_tokens=run.max_tokens,
            patience=run.patience,
            seed=run.seed,
            device=run.device,
            threads=settings.TRAINING_THREADS,
        ),
        progress=report,
        evaluation=material.evaluation,
    )
    _note_result(result, report)
    yardstick = material.evaluation or material.dev
    comparison = _compare(unfinished, registry.active(), yardstick, directory, report)
    finished = unfinished.rename(settings.MODEL_DIR / name)
    try:
        version = registry.register(
            name=name,
            run_id=run_id,
            encoder=directory.id,
            labels=material.labels,
            utterances=len(material.train),
            fp32=result.fp32,
            int8=result.int8,
            scored=result.scored,
            now=timezone.now(),
        )
    except BaseException:
        shutil.rmtree(finished, ignore_errors=True)  # nobody would ever find it
        raise
    reasons = gate.objections(
        fp32=result.fp32.accuracy, int8=result.int8.accuracy, comparison=comparison
    )
    if reasons:
        report.note(_("{version} does not answer customers:").format(version=version))
        for reason in reasons:
            report.note(f"- {reason}")
        return
    report("evaluate", 1.0)  # raises: not for a run that was given up meanwhile
    registry.activate(version_id=version.pk, now=timezone.now())
    report.note(_("{version} answers customers from now on.").format(version=version))


def _compare(
    new: Path,
    active: ModelVersion | None,
    yardstick: list[Example],
    directory: EncoderDirectory,
    report: Reporter,
) -> gate.Comparison | None:
    """Measure the active model and the new one on what the active one knows."""
    if active is None:
        return None
    known = [example for example in yardstick if example.label in set(active.labels)]
    if not known:
        return None
    try:
        manifest = artifacts.load_manifest(settings.MODEL_DIR / active.name)
        if manifest.encoder != directory.id:
            report.note(_("Not compared with {version}: another encoder").format(version=active))
            return None
        before = _accuracy(settings.MODEL_DIR / active.name, known)
    except artifacts.BrokenArtifact as broken:
        # A model that cannot be loaded answers nobody: it is no reason against a new one.
        report.note(_("Not compared with {version}: {why}").format(version=active, why=broken))
        return None
    after = _accuracy(new, known)
    report.note(
        _(
            "On {texts} texts {version} is right in {before:.1%}, the new model in {after:.1%}."
        ).format(texts=len(known), version=active, before=before, after=after)
    )
    return gate.Comparison(active.name, len(known), active_accuracy=before, new_accuracy=after)


def _accuracy(directory: Path, examples: list[Example]) -> float:
    classifier = artifacts.load_classifier(directory)
    probabilities = classifier.read(
        [normalize.for_model(example.text) for example in examples]
    ).probabilities
    columns = probabilities.argmax(axis=1)
    return float(
        np.mean(
            [
                classifier.labels[column] == example.label
                for column, example in zip(columns, examples, strict=True)
            ]
        )
    )


def _note_material(material: utterances.Material, report: Reporter) -> None:
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
    if material.left_out:
        report.note(
            _("Too few utterances to be trained, so examples answer: {codes}").format(
                codes=", ".join(material.left_out)
            )
        )


def _note_result(result: Report, report: Reporter) -> None:
    for number, epoch in enumerate(result.history, start=1):
        report.note(
            _("Epoch {number}: loss {loss:.3f}, right in {accuracy:.1%} of held-back texts").format(
                number=number, loss=epoch.loss, accuracy=epoch.dev_accuracy
            )
        )
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
