"""Drafts: edits of content that are written, read by a second person and published together.

A draft touches nothing until it is published, through intents.services and in one
transaction; until then others ask `content_with` and `utterances_with` what would be.
"""

from intents.drafts.comparing import (
    Comparison,
    Conflict,
    FieldChange,
    compare,
    compared_with_base,
)
from intents.drafts.expiring import take_back, take_back_due
from intents.drafts.overlay import WAITING, LabelledText, content_with, utterances_with
from intents.drafts.proposing import Proposal, propose, remove, revise, settle
from intents.drafts.publishing import (
    is_approved,
    may_publish,
    publish,
    publish_due,
    rehearse,
    schedule,
)
from intents.drafts.refusals import (
    ChangedMeanwhile,
    Conflicting,
    MayNot,
    NeedsApproval,
    NothingProposed,
    NotValid,
    WrongStatus,
)
from intents.drafts.rows import SORTS, kind_of, values_of
from intents.drafts.workflow import (
    approve,
    begin,
    may_review,
    may_write,
    needs_draft,
    open_drafts_of,
    reject,
    rename,
    reopen,
    submit,
    waiting_for,
    withdraw,
)

__all__ = [
    "SORTS",
    "WAITING",
    "ChangedMeanwhile",
    "Comparison",
    "Conflict",
    "Conflicting",
    "FieldChange",
    "LabelledText",
    "MayNot",
    "NeedsApproval",
    "NotValid",
    "NothingProposed",
    "Proposal",
    "WrongStatus",
    "approve",
    "begin",
    "compare",
    "compared_with_base",
    "content_with",
    "is_approved",
    "kind_of",
    "may_publish",
    "may_review",
    "may_write",
    "needs_draft",
    "open_drafts_of",
    "propose",
    "publish",
    "publish_due",
    "rehearse",
    "reject",
    "remove",
    "rename",
    "reopen",
    "revise",
    "schedule",
    "settle",
    "submit",
    "take_back",
    "take_back_due",
    "utterances_with",
    "values_of",
    "waiting_for",
    "withdraw",
]
