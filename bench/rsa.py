"""How many RSA-2048 signatures this machine makes, and nothing else: what DKIM can not be faster than."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ProcessPoolExecutor

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

SECONDS = 3.0


def per_second(processes: int) -> float:
    """Signatures a second of so many processes at once."""
    with ProcessPoolExecutor(processes) as pool:
        return sum(pool.map(_sign, [SECONDS] * processes))


def _sign(seconds: float) -> float:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    digest = hashlib.sha256(b"a message").digest()
    count, started = 0, time.perf_counter()
    while (taken := time.perf_counter() - started) < seconds:
        private.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        count += 1
    return count / taken
