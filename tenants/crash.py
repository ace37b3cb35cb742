"""Named places where a test may end the process as a power cut would, to prove that what follows survives it.

`MALL_CRASH_AT` names one place; `MALL_CRASH_MARK` a file that is made first, so that it happens once.
Both are read from the environment of a test's own process; without them nothing happens.
"""

import os
import signal

POINTS = frozenset(
    {
        "after_debit_commit",
        "in_refund",
        "after_attempt_commit",
        "after_send",
        "before_record",
        "after_record",
        "after_query",
        "in_reveal",
        "in_invoice_number",
        "in_expiry",
        "in_budget_ends",
        "before_carry_out",
        "after_carry_out",
        "in_seal",
    }
)


def crash_point(name: str) -> None:
    """End this process by SIGKILL, the first time that the place named by the environment is passed."""
    if os.environ.get("MALL_CRASH_AT") != name:
        return
    try:
        os.close(os.open(os.environ["MALL_CRASH_MARK"], os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
