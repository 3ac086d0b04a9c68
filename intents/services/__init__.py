"""The only writer of content: intents, utterances, replies, phrases, questions, words.

Each change is validated, moves the ContentVersion in its own transaction, and with that
reaches every process (intents.content). What staff got wrong is a Django ValidationError
with the field's name, for forms; what cannot be done now is a Refusal.
"""

from intents.services.costs import save_costs, validate_costs
from intents.services.intents import (
    KNOWN_LABELS,
    ChangedMeanwhile,
    Difference,
    IntentIsKnown,
    delete_intent,
    known_to,
    raise_revisions,
    save_intent,
    switch_off,
    switch_on,
)
from intents.services.lineage import merge_intent, rename_intent, split_intent
from intents.services.phrases import (
    PHRASE_VARIABLES,
    delete_suggested_question,
    save_phrase,
    save_suggested_question,
    validate_phrase_text,
)
from intents.services.replies import (
    VARIABLES,
    delete_reply,
    for_everybody,
    not_for_everybody,
    save_reply,
    validate_reply_text,
)
from intents.services.starting import Loaded, load_starter
from intents.services.utterances import (
    ImportedRow,
    Outcome,
    check_row,
    delete_utterance,
    import_utterances,
    key_of,
    move_utterance,
    move_utterances,
    read_language,
    read_split,
    save_utterance,
    validate_utterance,
)
from intents.services.validation import validate_code
from intents.services.versions import changed_once, content_changed
from intents.services.words import (
    delete_allowed_phrase,
    delete_sensitive_word,
    save_allowed_phrase,
    save_sensitive_word,
    spellings_of_phrases,
    spellings_of_words,
    warning_about,
)

__all__ = [
    "KNOWN_LABELS",
    "PHRASE_VARIABLES",
    "VARIABLES",
    "ChangedMeanwhile",
    "Difference",
    "ImportedRow",
    "IntentIsKnown",
    "Loaded",
    "Outcome",
    "changed_once",
    "check_row",
    "content_changed",
    "delete_allowed_phrase",
    "delete_intent",
    "delete_reply",
    "delete_sensitive_word",
    "delete_suggested_question",
    "delete_utterance",
    "for_everybody",
    "import_utterances",
    "key_of",
    "known_to",
    "load_starter",
    "merge_intent",
    "move_utterance",
    "move_utterances",
    "not_for_everybody",
    "raise_revisions",
    "read_language",
    "read_split",
    "rename_intent",
    "save_allowed_phrase",
    "save_costs",
    "save_intent",
    "save_phrase",
    "save_reply",
    "save_sensitive_word",
    "save_suggested_question",
    "save_utterance",
    "spellings_of_phrases",
    "spellings_of_words",
    "split_intent",
    "switch_off",
    "switch_on",
    "validate_code",
    "validate_costs",
    "validate_phrase_text",
    "validate_reply_text",
    "validate_utterance",
    "warning_about",
]
