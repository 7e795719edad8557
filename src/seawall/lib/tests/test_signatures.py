"""Ed25519, strictly: the ways in which lax checks let a signature be changed, or a key sign anything."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seawall.lib import signatures

ORDER = 2**252 + 27742317777372353535851937790883648493
PRIME = 2**255 - 19
# RFC 8032, section 7.1, test 2.
KEY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_the_standards_example_holds_and_for_nothing_else() -> None:
    assert signatures.verify(key=KEY, signature=SIGNATURE, message=b"\x72")
    assert not signatures.verify(key=KEY, signature=SIGNATURE, message=b"\x73")
    for at in range(64):
        changed = SIGNATURE[:at] + bytes([SIGNATURE[at] ^ 1]) + SIGNATURE[at + 1 :]
        assert not signatures.verify(key=KEY, signature=changed, message=b"\x72")


def test_a_signature_has_one_form() -> None:
    s = int.from_bytes(SIGNATURE[32:], "little") + ORDER
    assert not signatures.verify(key=KEY, signature=SIGNATURE[:32] + s.to_bytes(32, "little"), message=b"\x72")
    for signature in (b"", SIGNATURE[:63], SIGNATURE + b"\0"):
        assert not signatures.verify(key=KEY, signature=signature, message=b"\x72")


def small_order() -> list[bytes]:
    """The eight points of small order, and their other spellings, made here from the curve's equation."""
    d = -121665 * pow(121666, -1, PRIME) % PRIME

    def add(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
        k = d * p[0] * q[0] * p[1] * q[1] % PRIME
        x = (p[0] * q[1] + q[0] * p[1]) * pow(1 + k, -1, PRIME)
        return x % PRIME, (p[1] * q[1] + p[0] * q[0]) * pow(1 - k, -1, PRIME) % PRIME

    ys: set[int] = set()
    y = 2
    while len(ys) < 5:
        y += 1
        square = (y * y - 1) * pow(d * y * y + 1, -1, PRIME) % PRIME
        x = pow(square, (PRIME + 3) // 8, PRIME)
        if x * x % PRIME != square:
            x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
        if x * x % PRIME != square:
            continue
        total, point, times = (0, 1), (x, y), ORDER
        while times:
            total = add(total, point) if times & 1 else total
            point, times = add(point, point), times >> 1
        ys.add(total[1])
    spellings = [*ys, *(each + PRIME for each in ys if each + PRIME < 1 << 255)]
    return [(each | sign << 255).to_bytes(32, "little") for each in spellings for sign in (0, 1)]


def test_no_key_of_small_order_signs_for_anybody() -> None:
    keys = small_order()
    assert len(keys) >= 14
    for key in keys:
        assert not signatures.is_public_key(key)
        # R the neutral element and S zero: right for such a key, whatever the message, where nobody looks.
        assert not signatures.verify(key=key, signature=b"\1" + bytes(63), message=b"anything")


@pytest.mark.parametrize("key", [b"", bytes(31), b"\xff" * 32, (PRIME + 3).to_bytes(32, "little"), KEY + b"\0"])
def test_what_is_no_key_is_refused_without_an_error(key: bytes) -> None:
    assert not signatures.verify(key=key, signature=SIGNATURE, message=b"\x72")


def test_everybodys_key_is_one() -> None:
    for _ in range(100):
        signer = Ed25519PrivateKey.generate()
        key = signer.public_key().public_bytes_raw()
        assert signatures.verify(key=key, signature=signer.sign(b"x"), message=b"x")
