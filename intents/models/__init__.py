"""What customers mean, what we say to it, and what we never let through.

Every change goes through intents/services, which moves the ContentVersion in the
same transaction: that is how every process learns of it.
"""

from intents.models.conflicts import KeptPair
from intents.models.costs import COST_MOST, DecisionCosts, IntentCosts
from intents.models.drafts import Draft, DraftEdit
from intents.models.drift import DriftCheck
from intents.models.exchange import ImportJob, ImportRow
from intents.models.intents import Intent, Utterance
from intents.models.languages import Channel, Language
from intents.models.lineage import IntentMigration
from intents.models.live import LiveIntent
from intents.models.records import PredictionRecord
from intents.models.replies import Phrase, Reply, SuggestedQuestion
from intents.models.review import (
    ReviewCandidate,
    ReviewCluster,
    ReviewDecision,
    ReviewItem,
    ReviewProgress,
    ReviewSighting,
)
from intents.models.versions import ContentVersion, Embedding
from intents.models.words import AllowedPhrase, SensitiveWord

__all__ = [
    "COST_MOST",
    "AllowedPhrase",
    "Channel",
    "ContentVersion",
    "DecisionCosts",
    "Draft",
    "DraftEdit",
    "DriftCheck",
    "Embedding",
    "ImportJob",
    "ImportRow",
    "Intent",
    "IntentCosts",
    "IntentMigration",
    "KeptPair",
    "Language",
    "LiveIntent",
    "Phrase",
    "PredictionRecord",
    "Reply",
    "ReviewCandidate",
    "ReviewCluster",
    "ReviewDecision",
    "ReviewItem",
    "ReviewProgress",
    "ReviewSighting",
    "SensitiveWord",
    "SuggestedQuestion",
    "Utterance",
]
