"""Fills a site's database with the intents of a CSV file, as staff would have entered them.

    python -m benchmarks.content --train A.csv

Run in the environment of the site, whose tables are there. The starter content gives phrases and
words; its own intents make room for those of the file, each with its utterances and a reply.
Prints a service token.
"""

import argparse
import os
from pathlib import Path

import django

from benchmarks import trained_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")
    django.setup()
    print(fill(trained_model.read(options.train)))


def fill(rows: list[tuple[str, str]]) -> str:
    """Put intents, utterances and replies in place; return a new service token."""
    from django.db import transaction

    from csplatform.models import ServiceToken, digest
    from intents import services
    from intents.models import Intent, Language, Reply

    with transaction.atomic():
        services.load_starter()
        for intent in Intent.objects.all():
            services.delete_intent(intent)
        codes = trained_model.codes(label for _text, label in rows)
        for label, code in codes.items():
            intent = services.save_intent(Intent(code=code, name_zh=label[:40], name_en=code))
            for language in Language:
                services.save_reply(Reply(intent=intent, language=language, text=f"{label}。"))
        report = services.import_utterances(
            {"intent": codes[label], "text": text} for text, label in rows
        )
    wrong = sum(row.outcome == services.Outcome.WRONG for row in report)
    if wrong:  # the same sentence in two intents: the table is refused as a whole
        _without_conflicts(rows, codes, report)
    secret = ServiceToken.new_secret()
    ServiceToken.objects.create(name="benchmark", digest=digest(secret))
    return secret


def _without_conflicts(rows, codes, report) -> None:
    """Import what does not contradict itself: the rows that were not refused."""
    from intents import services

    again = services.import_utterances(
        {"intent": codes[label], "text": text}
        for (text, label), row in zip(rows, report, strict=True)
        if row.outcome != services.Outcome.WRONG
    )
    assert all(row.outcome != services.Outcome.WRONG for row in again)


if __name__ == "__main__":
    main()
