"""Signatures, one function a scheme. MD5 is the suppliers' choice, not ours: a signature proves origin,
never content, which is why money moves on our own query alone."""

import hashlib
import hmac


def goofish(
    *, app_id: str, app_secret: str, mch_id: str, mch_secret: str, body: bytes, timestamp: str
) -> str:
    """Sign a request or callback: md5 of six comma-separated parts, the third the md5 of the body as sent."""
    digest = _md5(body)
    return _md5(f"{app_id},{app_secret},{digest},{timestamp},{mch_id},{mch_secret}".encode())


def same(ours: str, theirs: str) -> bool:
    """Compare two signatures in constant time."""
    return hmac.compare_digest(ours.encode(), theirs.encode())


def _md5(value: bytes) -> str:
    return hashlib.md5(value, usedforsecurity=False).hexdigest()
