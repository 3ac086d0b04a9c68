"""What a model was made of, kept with it: intents and utterances, as they were read."""

import gzip
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.conf import settings

from intents.guard import normalize
from intents.inference import artifacts
from intents.models import Intent, Utterance
from training.models import ModelVersion
from training.utterances import Row

FORMAT = 1


class NoSnapshot(Exception):
    """The version has none: it is of an older release, or its files are gone."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Training utterances that differ between two states of the content."""

    added: int
    removed: int
    moved: int  # the same sentence, in another intent

    @property
    def total(self) -> int:
        return self.added + self.removed + self.moved


def write(directory: Path, rows: Iterable[Row], *, read_at: datetime) -> None:
    """Put a snapshot into a model's directory, and its hash and time into the manifest. One query.

    The same rows give the same bytes.

    Args:
        read_at: Just before the rows were read: their codes are of that time.
    """
    intents = Intent.objects.filter(is_active=True).order_by("code")
    content = {
        "format": FORMAT,
        "intents": list(intents.values("code", "name_zh", "name_en")),
        "utterances": [row._asdict() for row in rows],
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    packed = gzip.compress(text.encode("utf-8", "surrogatepass"), mtime=0)
    (directory / artifacts.CONTENT).write_bytes(packed)
    manifest = artifacts.load_manifest(directory)
    data = {**manifest.data, "read_at": read_at.isoformat()}
    artifacts.write_manifest(directory, replace(manifest, data=data))


def path_of(version: ModelVersion) -> Path:
    """Return where the snapshot of a version lies.

    Raises:
        NoSnapshot: There is none.
    """
    path = Path(settings.MODEL_DIR) / version.name / artifacts.CONTENT
    if not path.is_file():
        raise NoSnapshot(version.name)
    return path


def exists(version: ModelVersion) -> bool:
    """Whether the snapshot of a version is there."""
    return (Path(settings.MODEL_DIR) / version.name / artifacts.CONTENT).is_file()


def rows_of(version: ModelVersion) -> list[Row]:
    """Return the utterances that were there when the version was made.

    Raises:
        NoSnapshot: There is none, or it cannot be read.
    """
    try:
        content = json.loads(gzip.decompress(path_of(version).read_bytes()))
        return [Row(**row) for row in content["utterances"]]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise NoSnapshot(version.name) from error


def training_pairs(rows: Iterable[Row]) -> dict[str, str]:
    """Return the intent of each sentence for training, by its key."""
    return {normalize.key(row.text): row.code for row in rows if row.split == Utterance.Split.TRAIN}


def compare(before: dict[str, str], after: dict[str, str]) -> Changes:
    """Count what has changed from one state to another, as `training_pairs` gives them."""
    return Changes(
        added=len(after.keys() - before.keys()),
        removed=len(before.keys() - after.keys()),
        moved=sum(after[key] != before[key] for key in before.keys() & after.keys()),
    )


def fingerprint(pairs: dict[str, str]) -> str:
    """Return the same for the same sentences in the same intents, in whatever order."""
    rows = "\n".join(sorted(f"{code}\t{key}" for key, code in pairs.items()))
    return hashlib.sha256(rows.encode("utf-8", "surrogatepass")).hexdigest()
