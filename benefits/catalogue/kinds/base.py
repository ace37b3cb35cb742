"""What a benefit kind is: which account it delivers to, how that is cleaned, and how it is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """One benefit kind. `clean` returns the account as suppliers want it, or None where it cannot be one;
    `mask` is what may be shown and stored in the clear; `problem` tells the reader what an account must be."""

    slug: str
    template: str
    field_label: Any
    problem: Any
    clean: Callable[[str], str | None]
    mask: Callable[[str], str]
    needs_account: bool = True
    is_phone: bool = False
