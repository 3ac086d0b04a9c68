"""The content that a new installation begins with: CSV files in the admin's own import format."""

import csv
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parent


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of NAME.csv, each as column → text.

    intents: code, name_zh, name_en, description_zh, description_en, position, hands_over,
        is_offered.
    utterances: intent, language, text, family, split. replies: intent, language, channel, text.
    phrases: purpose, language, text. suggested_questions: language, text, position.
    sensitive_words: word, category. allowed_phrases: text, note.
    """
    with (DIRECTORY / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
