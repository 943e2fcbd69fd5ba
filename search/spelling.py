"""Words that one slip of the finger, or of the reader, turns into another word."""

from __future__ import annotations

import string
from collections.abc import Iterator

SHORTEST = 4  # letters; in shorter words one edit makes an altogether different word
_BASIC = string.ascii_lowercase + string.digits
_LOOKALIKES = {
    "0": "o",
    "1": "li",
    "2": "z",
    "5": "s",
    "6": "b",
    "8": "b",
}


def may_be_misspelt(token: str) -> bool:
    """Say whether other spellings of a word are worth a try."""
    return len(token) >= SHORTEST


def neighbours(token: str) -> Iterator[str]:
    """Yield every word one edit away: a letter dropped, doubled, swapped, exchanged or put in.

    A number has no misspellings, for another number is another record; only letters that look
    like its digits are tried. A word may be yielded more than once.
    """
    if token.isdigit():
        for place, digit in enumerate(token):
            for letter in _LOOKALIKES.get(digit, ""):
                yield token[:place] + letter + token[place + 1 :]
        return
    alphabet = _alphabet(token)
    for place in range(len(token) + 1):
        left, right = token[:place], token[place:]
        if right:
            yield left + right[1:]
        if len(right) > 1 and right[0] != right[1]:
            yield left + right[1] + right[0] + right[2:]
        for letter in alphabet:
            yield left + letter + right
            if right and letter != right[0]:
                yield left + letter + right[1:]


def is_near(one: str, other: str) -> bool:
    """Say whether two words are the same or one edit apart."""
    if one == other:
        return True
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    if a[1:] == b[1:] or a[1:] == b or a == b[1:]:
        return True
    return len(a) > 1 and len(b) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:]


def _alphabet(token: str) -> str:
    """Return the letters to try: the basic ones, and those of the scripts the word is in."""
    blocks = {ord(letter) & ~0x7F for letter in token if not letter.isascii()}
    other = (chr(code) for block in sorted(blocks)[:2] for code in range(block, block + 0x80))
    return _BASIC + "".join(letter for letter in other if letter.isalpha() and letter.islower())
