"""The review inbox: what the bot was not sure of, or got wrong, and what people decide about it.

    candidates.propose     an agent's word on what was meant (written while he answers)
    feed.feed              brings messages that need a look into the inbox; run by beat
    clusters.cluster       puts sentences that mean the same together; run by beat
    inbox.claim_next       the next sentence for one person, and for nobody else
    deciding               label, new intent, out of scope, ignore, skip, undo

Nothing is learnt by itself: a person decides what becomes of each sentence.
"""

from intents.review.candidates import propose

__all__ = ["propose"]
