"""`manage.py export_triton DIR`: the active model and the encoder as a Triton repository."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Write the encoder and a trained model into a Triton model repository. What else is "
        "there stays: versions stand side by side."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR", help="the model repository")
        parser.add_argument("--model", metavar="VERSION", help="of the model; else the active one")
        parser.add_argument(
            "--python-backend",
            action="store_true",
            help="for a Triton without ONNX Runtime backend: a model.py that brings its own",
        )

    def handle(
        self, *args: Any, directory: Path, model: str | None, python_backend: bool, **options: Any
    ) -> None:
        from intents import encoder
        from intents.inference import artifacts, triton
        from intents.inference.backends import open_backend

        version = model or artifacts.active_version()
        try:
            graphs: list[tuple[Path, Sequence[str]]] = [(encoder.ensure().embedder, ())]
            if version is not None:
                folder = settings.MODEL_DIR / version
                graphs.append((folder / artifacts.CLASSIFIER, artifacts.verify(folder).labels))
        except (artifacts.BrokenArtifact, encoder.EncoderUnavailable) as error:
            raise CommandError(str(error)) from error
        for graph, labels in graphs:
            backend = open_backend(graph, threads=settings.INTENTS_THREADS)
            written = triton.write(
                triton.Exported(graph, backend.outputs, labels),
                directory,
                python=python_backend,
                timeout_s=settings.INFERENCE_TIMEOUT_S,
                max_queue=settings.INTENTS_QUEUE_MAX_TEXTS,
            )
            backend.close()
            self.stdout.write(str(written))
        if version is None:
            self.stdout.write("There is no active model yet: only the encoder was written.")
