"""Import and export of content as spreadsheets, with a report for each row.

The rules are those of intents.services; here is only what a file looks like.
"""

from collections.abc import Sequence
from copy import copy
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import Result

from intents import services
from intents.admin import columns
from intents.admin.formats import lines_of
from intents.models import AllowedPhrase, Intent, SensitiveWord, Utterance


class ContentResource(ModelResource):
    """What the imports of content share: tidy cells, and headings in two languages."""

    @classmethod
    def check_headings(cls, headings: Sequence[object]) -> list[str]:
        """Accept the headings of a file; see `columns.check`."""
        return columns.check(
            headings,
            needed=cls._meta.import_id_fields,
            known=cls._meta.fields,
            called=cls.heading_of,
        )

    @classmethod
    def heading_of(cls, name: str) -> str:
        """Return what a column is called in the language of the person at work."""
        return columns.heading_of(name)

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        self.check_headings(dataset.headers or ())
        dataset.headers = [columns.name_of(heading) for heading in dataset.headers]

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        for name, value in row.items():
            row[name] = "" if value is None else str(value).strip()

    def after_import(self, dataset: tablib.Dataset, result: Result, **kwargs: Any) -> None:
        """Speak of the file as its reader sees it: rows as Excel counts them, his headings."""
        lines = lines_of(dataset)
        result.diff_headers = [self.heading_of(name) for name in result.diff_headers]
        for row in result.invalid_rows:
            row.number = lines[row.number - 1]
            row.error_dict = {
                self.heading_of(name): errors for name, errors in row.error_dict.items()
            }

    def get_export_headers(self, selected_fields: Any = None) -> list[str]:
        return [self.heading_of(name) for name in super().get_export_headers(selected_fields)]

    def get_user_visible_fields(self) -> list[Field]:
        """Return the fields for the page's list of columns, under the reader's headings."""
        shown = [copy(field) for field in super().get_user_visible_fields()]
        for field in shown:
            field.column_name = self.heading_of(field.column_name)
        return shown


class UtteranceResource(ContentResource):
    """Utterances, in the columns of the starter content (intents/starter/).

    The service reads the whole table at once, and saves all of it or nothing. A sentence
    that its intent has already is passed over, so the same file again changes nothing.
    """

    intent = Field(column_name="intent", attribute="intent__code", readonly=True)
    language = Field("language", "language", columns.LanguageCell())
    split = Field("split", "split", columns.SplitCell())

    class Meta:
        model = Utterance
        fields = ("intent", "language", "text", "family", "split")
        import_id_fields = ("intent", "text")
        report_skipped = True

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("intent")

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        self._intents = {
            name: intent
            for intent in Intent.objects.all()
            for name in (intent.name_en, intent.name_zh, intent.code)
        }
        self._table: list[dict[str, Any]] = []
        for row in dataset.dict:
            super().before_import_row(row)
            intent = self._intents.get(row["intent"])
            self._table.append({**row, "intent": intent.code if intent else row["intent"]})
        self._report = services.import_utterances(self._table, dry_run=True)

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        super().before_import_row(row)
        report = self._report[kwargs["row_number"] - 1]
        if report.outcome == services.Outcome.WRONG:
            raise ValidationError(report.message)
        row["is_there"] = report.outcome == services.Outcome.THERE

    def get_instance(self, instance_loader: Any, row: dict[str, Any]) -> None:
        """Say that each row is new: those that are there are passed over by skip_row."""

    def init_instance(self, row: dict[str, Any] | None = None) -> Utterance:
        return Utterance(intent=self._intents[(row or {})["intent"]])

    def skip_row(
        self, instance: Any, original: Any, row: Any, import_validation_errors: Any
    ) -> bool:
        return bool(row["is_there"])

    def validate_instance(self, *args: Any, **kwargs: Any) -> None:
        """Leave it to the service, which has read the row already."""

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        """Leave it to the service, which saves the table as a whole."""

    def after_import(self, dataset: tablib.Dataset, result: Result, **kwargs: Any) -> None:
        super().after_import(dataset, result, **kwargs)
        if not kwargs.get("dry_run"):
            services.import_utterances(self._table)


class SensitiveWordResource(ContentResource):
    is_active = Field("is_active", "is_active", columns.YesNo())

    class Meta:
        model = SensitiveWord
        fields = ("word", "category", "is_active", "note")
        import_id_fields = ("word",)
        skip_unchanged = True
        report_skipped = True

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        self._spellings = services.spellings_of_words()

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        services.save_sensitive_word(instance, spellings=self._spellings)


class AllowedPhraseResource(ContentResource):
    @classmethod
    def heading_of(cls, name: str) -> str:
        if name == "text" and columns.in_chinese():
            return columns.PHRASE
        return super().heading_of(name)

    class Meta:
        model = AllowedPhrase
        fields = ("text", "note")
        import_id_fields = ("text",)
        skip_unchanged = True
        report_skipped = True

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        self._spellings = services.spellings_of_phrases()

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        services.save_allowed_phrase(instance, spellings=self._spellings)
