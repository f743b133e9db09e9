"""Answers people: records what came of a selfie, claims the answer, posts it once.

Served as jobs, under the names that `worker.messages` gives them. The database decides; a job
that comes twice, late or out of order changes nothing.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot import wording
from bot.brakes import Action
from bot.clock import Clock
from bot.outbox import Claim
from bot.platforms.base import Broken, Forbidden, Gone, Later, Platform, PlatformError
from bot.records import Records
from bot.selfie import Answer, Selfie, Status
from worker.messages import ANSWER_SELFIE, HANDLE_RESULT, ScoreResult
from worker.serving import JOB_SECONDS, Functions

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=2 * JOB_SECONDS)
"""How long a claim holds. A job is ended before that, so two never post the same answer at once."""

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
"""Pauses after a failure that names no time double from the first to the longest."""

MOST_TRIES = 40
"""After so many tries at one answer (more than a day of pauses), we give it up."""


class Responder:
    """Posts answers on the platforms that it is given; those of others wait."""

    def __init__(self, records: Records, platforms: Mapping[str, Platform], clock: Clock) -> None:
        self._records = records
        self._platforms = platforms
        self._clock = clock

    def functions(self) -> Functions:
        """The jobs it serves, by name."""
        return {HANDLE_RESULT: self.handle_result, ANSWER_SELFIE: self.answer_selfie}

    def handle_result(self, message: Any) -> None:
        """Record a ScoreResult in JSON, and answer. A message that makes no sense is logged."""
        try:
            result = _read(message)
        except (KeyError, TypeError, ValueError) as error:
            log.error(
                "Not a score result (%s: %s): is the worker as new as the bot?", type(error).__name__, error
            )
            return
        selfie = self._records.get(result.selfie_id)
        if selfie is None:
            log.error("Got a score for selfie %d, which is not in this database", result.selfie_id)
            return
        self._record(selfie, result)
        self.answer_selfie(selfie.id)

    def answer_selfie(self, selfie_id: Any) -> None:
        """Post the selfie's stored answer, unless that was done or someone is at it."""
        selfie = self._records.get(selfie_id) if isinstance(selfie_id, int) else None
        if selfie is None:
            log.error("Asked to answer selfie %r, which does not exist", selfie_id)
            return
        platform = self._platforms.get(selfie.item.source.platform)
        if platform is None or self._records.brakes.on(platform.name, Action.REPLY):
            return
        claim = self._records.outbox.claim(selfie.id, LEASE)
        if claim is None:
            return
        if claim.tries > MOST_TRIES:
            self._give_up(claim, f"no answer went out in {MOST_TRIES} tries")
            return
        self._answer(platform, claim)

    def _record(self, selfie: Selfie, result: ScoreResult) -> None:
        after, answer = _outcome(selfie, result)
        self._records.outbox.settle(
            selfie.id,
            Status.QUEUED,
            after,
            answer,
            attempt=result.attempt,
            score=result.score,
            plus_minus=result.plus_minus,
            faces=result.faces,
            refusal=None if result.refusal is None else result.refusal.value,
        )

    def _answer(self, platform: Platform, claim: Claim) -> None:
        try:
            reply_id = platform.find_reply(claim.selfie, claim.answer)
            if reply_id is None:
                reply_id = platform.reply(claim.selfie, claim.answer)
        except PlatformError as error:
            self._take_failure(platform.name, claim, error)
        else:
            self._records.outbox.posted(claim.selfie.id, reply_id)
            log.info("Answered selfie %d on %s: %s", claim.selfie.id, platform.name, reply_id)

    def _take_failure(self, platform: str, claim: Claim, error: PlatformError) -> None:
        match error:
            case Forbidden():
                self._give_up(claim, f"not allowed: {error}")
            case Gone():
                self._give_up(claim, f"gone: {error}", erase=True)
            case Broken():
                self._brake(platform, None, error)
                self._records.outbox.put_off(claim, self._clock.now() + LEASE)
            # A time that is over says that clocks differ; to trust it would be to ask again at once.
            case Later(until=datetime() as until) if until > self._clock.now():
                self._brake(platform, until, error)
                self._records.outbox.put_off(claim, until)
            case _:
                pause = _pause(claim.tries)
                log.warning("Selfie %d waits %s for its answer: %s", claim.selfie.id, pause, error)
                self._records.outbox.put_off(claim, self._clock.now() + pause)

    def _give_up(self, claim: Claim, reason: str, *, erase: bool = False) -> None:
        log.warning("Selfie %d stays without an answer: %s", claim.selfie.id, reason)
        self._records.fail(claim.selfie.id, reason, erase=erase)

    def _brake(self, platform: str, until: datetime | None, error: PlatformError) -> None:
        self._records.brakes.pull(platform, Action.REPLY, until, str(error))
        if until is None:
            log.error("No more answers on %s: %s. Then: selfai resume %s", platform, error, platform)
        else:
            log.warning("No answers on %s before %s: %s", platform, until, error)


def _read(message: Any) -> ScoreResult:
    """A checked result: `from_json` takes types on trust. Raises KeyError, TypeError or ValueError."""
    for name in ("selfie_id", "attempt", "faces"):
        number = message[name]
        if not isinstance(number, int) or not 0 <= number < 2**31:
            raise ValueError(f"{name} is {number!r}")
    score = message["score"]
    if (score is None) == (message["refusal"] is None):
        raise ValueError("neither a score nor a refusal, or both")
    for value in (score, message.get("plus_minus")):
        if value is not None and not math.isfinite(value):
            raise ValueError(f"score or plus-minus is {value}")
    return ScoreResult.from_json(message)


def _outcome(selfie: Selfie, result: ScoreResult) -> tuple[Status, Answer]:
    if result.refusal is not None:
        return Status.REFUSED, wording.refused(selfie, result.refusal)
    if result.score is None:
        raise ValueError("neither a score nor a refusal")
    return Status.SCORED, wording.scored(
        selfie, result.score, result.plus_minus, result.faces, result.picture
    )


def _pause(tries: int) -> timedelta:
    doublings = min(tries - 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
