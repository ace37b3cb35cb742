"""Roster imports: receive a file, check and plan it, correct it, confirm the plan, apply it, undo it, or cancel."""

from benefits.roster.operations.applying import apply
from benefits.roster.operations.checking import check, choose, recheck, repair
from benefits.roster.operations.confirming import cancel, confirm
from benefits.roster.operations.forgetting import forget_old
from benefits.roster.operations.receiving import receive
from benefits.roster.operations.undoing import foresee_undo, undo, undo_now

__all__ = [
    "apply",
    "cancel",
    "check",
    "choose",
    "confirm",
    "foresee_undo",
    "forget_old",
    "receive",
    "recheck",
    "repair",
    "undo",
    "undo_now",
]
