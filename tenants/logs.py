"""Log lines: time, level, schema, message on one line; full mobile numbers are masked whoever wrote them."""

import logging
import re

from tenants.db import connection

MOBILE = re.compile(r"(?<![0-9A-Za-z])(1[3-9]\d)\d{4}(\d{4})(?!\d)")


def mask(text: str) -> str:
    """The text with every 11-digit mobile number reduced to its first three and last four digits."""
    return MOBILE.sub(r"\1****\2", text)


class Line(logging.Formatter):
    """One record a line; line breaks inside a message are shown as \\n so that no entry can be forged."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(schema)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.schema = getattr(connection, "schema_name", "-")
        trace = record.exc_info
        record.exc_info = None
        record.exc_text = None
        line = mask(super().format(record)).replace("\r", "\\r").replace("\n", "\\n")
        return line if not trace else f"{line}\n{mask(self.formatException(trace))}"
