"""Passwords: made into argon2id hashes, checked in the same time for known and unknown names."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from records.errors import InputError

SHORTEST = 12
LONGEST = 200  # hashing time and memory are spent on what strangers send in

# OWASP's second choice for argon2id (19 MiB, two passes), with one pass more: eight people who
# sign in at once need 150 MiB, not the 500 of the library's default.
_HASHER = PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)
_NOBODY = _HASHER.hash("the password of no one")


def hash_password(password: str) -> str:
    """Return the text to keep in place of a password."""
    return _HASHER.hash(password)


def check_password(kept: str | None, password: str) -> bool:
    """Say whether a password is the one that was kept.

    ``kept`` None stands for a name that nobody has: the same work is done, so that the time it
    takes does not tell which names exist.
    """
    try:
        right = _HASHER.verify(kept or _NOBODY, password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return right and kept is not None


def needs_rehash(kept: str) -> bool:
    """Say whether a kept hash was made with weaker settings than today's."""
    return _HASHER.check_needs_rehash(kept)


def check_new_password(password: str, name: str) -> None:
    """Raise InputError with a sentence when a new password is too easy to guess."""
    if len(password) < SHORTEST:
        raise InputError(
            f"The new password is too short; use {SHORTEST} characters or more, "
            "such as four words with spaces."
        )
    if len(password) > LONGEST:
        raise InputError(f"The new password is too long; use at most {LONGEST} characters.")
    if name.casefold() in password.casefold() or len(set(password)) < 5:
        raise InputError("The new password is too easy to guess; use four words without your name.")
