"""X's rate limits: so many requests per route and caller in 15 minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.x_problems import too_many

WINDOW = 15 * 60
"""Seconds."""


@dataclass
class _Window:
    ends: int
    """Unix seconds."""
    used: int = 0


class Limits:
    """Counts requests. `factor` loosens or tightens all limits alike."""

    def __init__(self, now: Callable[[], datetime], factor: float = 1.0) -> None:
        self.factor = factor
        self._now = now
        self._windows: dict[tuple[str, str], _Window] = {}

    def use(self, route: str, caller: str, limit: int) -> Mapping[str, str]:
        """Count a request and give the headers that tell how many are left.

        Raises XProblem (429, with the headers) once none is.
        """
        limit, moment = max(int(limit * self.factor), 1), int(self._now().timestamp())
        window = self._windows.get((route, caller))
        if window is None or window.ends <= moment:
            window = self._windows[route, caller] = _Window(moment + WINDOW)
        window.used += 1
        headers = {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(max(limit - window.used, 0)),
            "x-rate-limit-reset": str(window.ends),
        }
        if window.used > limit:
            problem = too_many()
            problem.headers = headers
            raise problem
        return headers
