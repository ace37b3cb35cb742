"""What can go wrong with second signatures."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, Forbidden, Invalid


class NotYourDecision(Forbidden):
    """Whoever asked never decides; anyone else does where their limit, or that of whom they stand in for, covers it."""

    code = "not_your_decision"
    message = _("You may not decide this: you asked for it yourself, or it is above your limit.")


class NotYourRequest(Forbidden):
    """A request is withdrawn by whoever asked."""

    code = "not_your_request"
    message = _("Only the person who asked may withdraw this.")


class NotYourDelegation(Forbidden):
    """One's own deciding is handed on by oneself or by an administrator, who never hands it to themselves."""

    code = "not_your_delegation"
    message = _(
        "You hand on your own decisions; an administrator may do it for others, but not to themselves."
    )


class LimitsAreAdministrators(Forbidden):
    """Limits are set by administrators."""

    code = "limits_are_administrators"
    message = _("Only an administrator sets limits.")


class ApprovalOverdue(Conflict):
    """The time for a decision is over."""

    code = "approval_overdue"
    message = _("The time for this decision is over. It has to be asked for again.")


class AboveLimit(Conflict):
    """What comes along with something else moves more than the actor may move alone; amounts in fen."""

    code = "above_limit"
    message = _(
        "This would move ¥%(asked_yuan)s, which is above what you may do alone. Ask for that first; once it is "
        "approved, do this."
    )

    def __init__(self, *, asked_fen: int) -> None:
        super().__init__(asked_fen=asked_fen)


class AlreadyAsked(Conflict):
    """The same thing waits for a decision already."""

    code = "approval_already_asked"
    message = _("This already waits for a decision. If it has changed since, withdraw that request first.")


class NobodyCanApprove(Conflict):
    """Nobody but the asker may decide this much; amounts in fen."""

    code = "nobody_can_approve"
    message = _(
        "This is above what you may do alone, and nobody else may approve ¥%(asked_yuan)s. "
        "Ask an administrator to set the limits or to name an approver."
    )

    def __init__(self, *, asked_fen: int) -> None:
        super().__init__(asked_fen=asked_fen)


class AskerHasNoAccess(Conflict):
    """Whoever asked may no longer do what was asked, so that it can only be refused."""

    code = "asker_has_no_access"
    message = _("%(name)s may no longer do this, so it cannot be approved. Refuse it.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class SubjectGone(Conflict):
    """What was asked about is no longer there."""

    code = "approval_subject_gone"
    message = _("What this was about is no longer there.")


class DelegationOverlaps(Conflict):
    """At most one person stands in for somebody on a day, and whoever stands in hands nothing on."""

    code = "delegation_overlaps"
    message = _(
        "On some of these days %(name)s already has a stand-in or is one. Choose other days, or end that first."
    )

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class InvalidDelegation(Invalid):
    """A delegation goes to another active person of the console, and ends today or later, not before it begins."""

    code = "invalid_delegation"
    message = _(
        "A stand-in is another person who works in this console, and the last day is today or later and not "
        "before the first."
    )


class InvalidLimit(Invalid):
    """A limit is for a role of the console and not below nothing; in fen."""

    code = "invalid_limit"
    message = _("A limit is ¥0 or more, or empty for any amount.")
