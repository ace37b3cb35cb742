"""The parts of the verifier against the standards they follow, and against another implementation."""

import contextlib
import hashlib
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benefits.journal import receipts, verify

# RFC 8032, 7.1: public key, message, signature
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_the_standard_verify(public: str, message: str, signature: str) -> None:
    key, text, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert verify.ed25519(key, text, signed)
    assert not verify.ed25519(key, text + b"x", signed)
    assert not verify.ed25519(key, text, signed[:-1])
    assert not verify.ed25519(key[:-1], text, signed)


def test_it_agrees_with_another_implementation() -> None:
    drawn = random.Random(8032)
    for size in (0, 1, 31, 64, 500):
        secret = Ed25519PrivateKey.from_private_bytes(drawn.randbytes(32))
        public, message = secret.public_key().public_bytes_raw(), drawn.randbytes(size)
        signature = secret.sign(message)
        assert verify.ed25519(public, message, signature)
        for _ in range(8):
            bad = bytearray(signature)
            bad[drawn.randrange(64)] ^= 1 << drawn.randrange(8)
            assert not verify.ed25519(public, message, bytes(bad))


def test_a_signature_has_one_form() -> None:
    """A number above the group's order would be a second signature of the same message."""
    secret = Ed25519PrivateKey.from_private_bytes(bytes(32))
    signature = secret.sign(b"x")
    again = signature[:32] + (int.from_bytes(signature[32:], "little") + verify.L).to_bytes(32, "little")
    assert verify.ed25519(secret.public_key().public_bytes_raw(), b"x", signature)
    assert not verify.ed25519(secret.public_key().public_bytes_raw(), b"x", again)


def test_points_that_are_none() -> None:
    off_the_curve = (2).to_bytes(32, "little")
    not_reduced = (verify.P + 1).to_bytes(32, "little")
    minus_zero = (1 | 1 << 255).to_bytes(32, "little")
    for data in (off_the_curve, not_reduced, minus_zero):
        assert verify.decoded(data) is None
        assert not verify.ed25519(data, b"", bytes(64))


def test_the_canonical_form() -> None:
    value = {"b": 1, "a": '中\n"', "c": [None, {"z": -2, "y": True}]}
    assert verify.canonical(value) == '{"a":"中\\n\\"","b":1,"c":[null,{"y":true,"z":-2}]}'.encode()


def test_the_chain_by_hand() -> None:
    first = hashlib.sha256(b"1journal of acme").digest()
    assert verify.start("acme") == first
    assert verify.link(first, b'{"seq":1}') == hashlib.sha256(b"1" + first + b'{"seq":1}').digest()


def test_the_tree_of_the_standard() -> None:
    """RFC 6962's own example: seven leaves, split at the largest power of two."""
    d = [verify.leaf(bytes([n])) for n in range(7)]

    def over(a: bytes, b: bytes) -> bytes:
        return hashlib.sha256(b"\1" + a + b).digest()

    g, h, i = over(d[0], d[1]), over(d[2], d[3]), over(d[4], d[5])
    assert verify.root(d) == over(over(g, h), over(i, d[6]))
    assert receipts.path_of(d, 0) == [d[1], h, over(i, d[6])]
    assert receipts.path_of(d, 6) == [i, over(g, h)]


@pytest.mark.parametrize("size", [*range(1, 34), 100, 127, 128, 129, 1000])
def test_every_leaf_climbs_to_its_root_and_no_other(size: int) -> None:
    leaves = [verify.leaf(str(n).encode()) for n in range(size)]
    root = verify.root(leaves)
    for index in range(0, size, max(1, size // 40)):
        path = receipts.path_of(leaves, index)
        assert verify.climb(leaves[index], index, size - 1, path) == root
        for wrong in {index ^ 1, (index + 1) % size} - {index}:
            if wrong < size:
                with contextlib.suppress(verify.Flaw):
                    assert verify.climb(leaves[index], wrong, size - 1, path) != root
        for bad in (path[:-1], [*path, root]):
            if bad != path:
                with pytest.raises(verify.Flaw):
                    verify.climb(leaves[index], index, size - 1, bad)
