"""Why something cannot be done with a draft now."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal


class WrongStatus(Refusal):
    """The draft is not where it would have to be; somebody else may have been faster."""

    code = "draft_status"
    detail = _("This is not possible any more: the draft is %(status)s.")

    def __init__(self, status: str) -> None:
        super().__init__(type(self).detail % {"status": status})


class ChangedMeanwhile(Refusal):
    """What somebody read and acts on is not what the draft says by now; nothing was done."""

    code = "changed_meanwhile"
    detail = _("The draft has been changed since you opened it. Load the page again.")


class MayNot(Refusal):
    """The person lacks the permission, or has written what he would approve."""

    code = "draft_may_not"
    status = 403
    detail = _("You may not do this with this draft.")


class NeedsApproval(Refusal):
    """Four eyes are asked for, and a second person has not approved it."""

    code = "draft_needs_approval"
    detail = _("A second person has to approve this draft first.")


class NothingProposed(Refusal):
    """There is no edit that would change anything."""

    code = "draft_empty"
    detail = _("There is nothing in it that would change anything.")


class Conflicting(Refusal):
    """What is live has changed since the edits were begun; nothing was published."""

    code = "draft_conflicts"
    detail = _("What is live has changed since: settle the conflicts of this draft first.")


class NotValid(Refusal):
    """A service refuses an edit as it is; nothing was published."""

    code = "draft_not_valid"
    detail = _("Some edits cannot be saved as they are.")

    def __init__(self, problems: Mapping[int, Sequence[str]]) -> None:
        super().__init__()
        self.problems = dict(problems)  # DraftEdit.pk: messages
