"""Rules and their rehearsals: make, revise, activate; rehearse, commit, hand out; and what is done each day."""

from benefits.campaigns.operations.committing import commit_rehearsal
from benefits.campaigns.operations.handing import hand_out, hand_out_while
from benefits.campaigns.operations.rehearsing import (
    await_approval,
    discard,
    drop_rehearsal,
    once,
    rehearse_rule,
)
from benefits.campaigns.operations.rules import (
    activate_rule,
    end_rule,
    make_rule,
    pause_rule,
    revise_rule,
)
from benefits.campaigns.operations.running import run_due
from benefits.campaigns.queries import estimate

__all__ = [
    "activate_rule",
    "await_approval",
    "commit_rehearsal",
    "discard",
    "drop_rehearsal",
    "end_rule",
    "estimate",
    "hand_out",
    "hand_out_while",
    "make_rule",
    "once",
    "pause_rule",
    "rehearse_rule",
    "revise_rule",
    "run_due",
]
