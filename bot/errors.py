"""Errors that a person who runs the bot can put right."""

from __future__ import annotations


class OperatorError(Exception):
    """Selfai cannot go on until its operator changes something.

    The message is one line: it names the setting or file that is wrong, and what to do.
    """
