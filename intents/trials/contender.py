"""Who would answer: a model and the content that goes with it."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal


class ContenderUnavailable(Refusal):
    """A model's directory is missing or damaged, or a draft is gone."""

    code = "contender_unavailable"
    detail = _("This model or draft is not there any more.")


@dataclass(frozen=True, slots=True)
class Contender:
    """A model with content: live content, or what a draft would make of it.

    `Contender()` is what answers customers now. A draft is answered by the active model, with
    its utterances as fresh ones: as it would be right after publishing.
    """

    version: str = ""  # of a model under MODEL_DIR; "" for the active one, or none where none is
    draft: int | None = None  # None: the content as it is

    @classmethod
    def from_key(cls, key: str) -> "Contender":
        """Return the contender that `key` names.

        Raises:
            ValueError: It names none.
        """
        kind, _colon, name = key.partition(":")
        if key == "active":
            return cls()
        if kind == "version" and name:
            return cls(version=name)
        if kind == "draft" and name.isdecimal():
            return cls(draft=int(name))
        raise ValueError(f"{key!r} names no contender")

    @property
    def key(self) -> str:
        """Name it in forms and rows: "active", "version:NAME" or "draft:NUMBER"."""
        if self.draft is not None:
            return f"draft:{self.draft}"
        return f"version:{self.version}" if self.version else "active"


ACTIVE = Contender()
