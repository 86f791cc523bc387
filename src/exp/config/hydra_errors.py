"""Errors of Hydra's, in words for people who write configs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from exp.config import suggestions
from exp.util.errors import Fault, shown

BROKEN = (
    HydraException, OmegaConfBaseException,
    ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RecursionError,
    TypeError, ValueError,
)  # fmt: skip
"""What Hydra raises for an override: its own errors, and whatever breaks inside it."""
QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)


def unreadable(text: str, error: Exception, rest: Sequence[str] = ()) -> Fault:
    """Why a word is not an override: at its key, if it has one.

    Args:
        rest: the other words of the command line.
    """
    key, equals, value = text.lstrip("+~").partition("=")
    if not equals and not text.startswith("~"):
        hint = suggestions.of_word(text, rest)
        what = "expected key=value, or a verb (exp list) as the first word"
        return Fault(shown(text), f"{what}.{hint}".removesuffix("."))
    reason = one_line(error)
    if GRAMMAR.search(reason):
        reason = ungrammatical(key, value)
    if re.fullmatch(r"[a-z_][\w/]*(\.\w+)*(@[\w.]*)?", key, re.ASCII):
        return Fault(key, f"cannot read {shown(value)}: {reason}")
    return Fault(shown(text), f"cannot be read as key=value: {reason}")


GRAMMAR = re.compile(
    r"LexerNoViableAlt|no viable alternative|(?:mismatched|extraneous) input|missing .+ at "
    r"|token recognition error"
)
"""Messages of a parser that are for its developers."""
CLOSING = {"[": "]", "(": ")", "{": "}"}


def ungrammatical(key: str, value: str) -> str:
    """Why Hydra's grammar has no place for a value, and how to write it."""
    plain = QUOTED.sub("q", value)
    if quote := re.search(r"['\"]", plain):
        return f"the quote {quote[0]} is not closed"
    opened = []
    for character in plain:
        if character in CLOSING:
            opened.append(character)
        elif character in CLOSING.values() and (not opened or CLOSING[opened.pop()] != character):
            return f"{character!r} has no opening bracket"
    if opened:
        return f"{opened[-1]!r} is not closed: {CLOSING[opened[-1]]!r} is missing"
    if re.search(r"(?:^|[\[({,])\s*,|,\s*(?:$|[\])}])", plain):
        return "a value is missing before or after a comma"
    if re.search(r"\s[\w.]+=", plain):
        return "expected one setting, found several: write a space, outside of quotes, between them"
    quoted = shlex.quote(f"{key}={QuotedString(text=value, quote=Quote.double).with_quotes()}")
    odd = re.search(r"[^\w./\\+$%*@?|:,\s-]", plain, re.ASCII)
    which = f"hold {odd[0]!r}" if odd else "be written like this"
    return f"only a text in quotes may {which}: {quoted}"


SKIPPED = (
    "full_key:", "object_type=", "reference_type=", "Set the", "See https:", "provider=",
    "Config search path:", "Error parsing override",
)  # fmt: skip


def one_line(error: Exception, limit: int = 300) -> str:
    """The text of an error of Hydra's on one line, without what only its developers need."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(SKIPPED)]
    text = "; ".join(kept) or type(error).__name__
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= limit else text[: limit - 3] + "..."
