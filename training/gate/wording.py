"""The gate's findings in words, in the language of whoever reads."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from training.gate.verdict import Cause, Reason

_REASONS = {
    "too_inaccurate": _(
        "It is right in {share:.1%} of the evaluation texts; {least:.1%} are required."
    ),
    "shrunk": _("Made smaller for serving, it falls from {fp32:.1%} to {int8:.1%}."),
    "no_frozen_texts": _(
        "There are no evaluation utterances that both models have not seen: nobody knows whether "
        "it is as good. Add some with the use “evaluation”."
    ),
    "frozen_worse": _(
        "Of {texts} evaluation texts {active:.1%} were understood, and {candidate:.1%} are now."
    ),
    "data_worse": _(
        "What its utterances teach is worse: of {texts} sentences, each read by what the others "
        "teach, {active:.1%} were understood with the former utterances, {candidate:.1%} are with "
        "the new ones."
    ),
    "language_worse": _(
        "Of {texts} evaluation texts in {language} {active:.1%} were understood, and "
        "{candidate:.1%} are now."
    ),
    "perhaps_worse": _(
        "On {texts} evaluation texts it could still be up to {worst:.1%} worse; {most:.1%} must be "
        "excluded."
    ),
    "intent_fell": _(
        "{intent} fell: of {texts} texts {active:.1%} were understood, and {candidate:.1%} are now."
    ),
    "intent_missing": _("It no longer knows {intent}, which customers are answered."),
    "new_intent_weak": _(
        "The new intent {intent} is understood in {share:.1%} of {texts} texts; {least:.1%} are "
        "required."
    ),
    "intents_open": _("Perhaps worse, but there are too few texts to say: {intents}."),
    "cases_broken": _(
        "{cases} of {of} regression sentences are no longer understood as they should be, such as "
        "“{first}”."
    ),
    "cases_missed": _(
        "Of {of} regression sentences it misses {cases} of new intents, which examples may answer "
        "now, such as “{first}”."
    ),
    "worse_calibrated": _(
        "It knows less well how sure it may be: the calibration error rises from {active:.1%} to "
        "{candidate:.1%}."
    ),
    "accepts_more": _(
        "Of {texts} texts that concern none of the intents it takes {candidate:.1%} for one, "
        "instead of {active:.1%}."
    ),
    "accepts_again": _(
        "Of {texts} texts that reviewers found to concern none of the intents it takes "
        "{candidate:.1%} for one, instead of {active:.1%}."
    ),
    "larger": _("It is {times:.1f} times as large as the active model."),
    "slower": _("It takes {times:.1f} times as long for a text as the active model."),
}
_LANGUAGES = {"zh": _("Chinese"), "en": _("English")}
_CAUSES = {
    "removed": _("{sentences} of the {of} utterances of {intent} are gone."),
    "relabelled": _(
        "{sentences} of the {of} utterances of {intent} were moved to {other} ({share:.0%})."
    ),
    "copied": _(
        "{sentences} of the {of} utterances of {intent} now stand in {other} as well ({share:.0%})."
    ),
    "added": _(
        "{sentences} new utterances of {other} look like {intent} ({share:.0%} of what it has)."
    ),
    "alike": _("Utterances of {other} look like {intent}; they were there before."),
    "scattered": _(
        "{sentences} utterances that are new or were moved, in many intents, contradict the others "
        "({share:.0%} of all)."
    ),
}


def reason(found: Reason | Mapping[str, Any], names: Mapping[str, str] | None = None) -> str:
    """Put a reason or a doubt into words.

    Args:
        found: A Reason, or one as it is stored.
        names: Of intents by their codes; without them the codes are written.
    """
    kind, values = (found.kind, dict(found.values)) if isinstance(found, Reason) else _stored(found)
    names = names or {}
    if "intent" in values:
        values["intent"] = names.get(values["intent"], values["intent"])
    if "intents" in values:
        listed = [names.get(code, code) for code in values["intents"]]
        values["intents"] = gettext(", ").join(listed)
    if kind == "language_worse":
        values["language"] = _LANGUAGES.get(values["name"], values["name"])
    if kind in ("larger", "slower"):
        values["times"] = values["candidate"] / values["active"]
    text = str(_REASONS[kind]).format(**values)
    if more := values.get("more"):
        text += " " + ngettext(
            "{more} more evaluation utterance would settle it.",
            "About {more} more evaluation utterances would settle it.",
            more,
        ).format(more=more)
    return text


def cause(found: Cause | Mapping[str, Any], names: Mapping[str, str] | None = None) -> str:
    """Put a cause into words; see `reason`."""
    values = (
        {name: getattr(found, name) for name in ("kind", "intent", "other", "sentences", "of")}
        if isinstance(found, Cause)
        else dict(found)
    )
    names = names or {}
    for name in ("intent", "other"):
        values[name] = names.get(values[name], values[name])
    values["share"] = values["sentences"] / values["of"] if values["of"] else 0.0
    return str(_CAUSES[values["kind"]]).format(**values)


def _stored(found: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return found["kind"], dict(found["values"])
