"""What bot and worker say to each other: messages, queue and job names, the queue's address.

Standard library only. Jobs cross the queue by dotted name and JSON; bytes travel as base64.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

SELFIES = "selfies"
"""Queue of score requests: bot to worker."""

REPLIES = "replies"
"""Queue of score results: worker to bot."""

SCORE_SELFIE = "worker.jobs.score_selfie"
"""Job on SELFIES; its one argument is `ScoreRequest.to_json()`."""

HANDLE_RESULT = "bot.responder.handle_result"
"""Job on REPLIES; its one argument is `ScoreResult.to_json()`."""

ANSWER_SELFIE = "bot.responder.answer_selfie"
"""Job on REPLIES; its one argument is a selfie's id, whose stored answer is to be posted now."""


LONGEST_SOCKET = 100
"""Bytes in a unix socket's path that every system takes."""


class Refusal(StrEnum):
    """Why a photo got no score. The worker finds the reason; `bot.wording` says it kindly."""

    NO_PHOTO = "no_photo"
    """The post carries no picture (found by the bot; no job runs)."""
    NO_FACE = "no_face"
    TINY_FACE = "tiny_face"
    TURNED_AWAY = "turned_away"
    BLURRED = "blurred"
    DRAWING = "drawing"
    """A drawing, or a picture with next to nothing in it."""
    NOT_A_PICTURE = "not_a_picture"
    BROKEN_PICTURE = "broken_picture"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_LARGE = "too_large"
    """More bytes than we download."""
    GONE = "gone"
    """The picture, or the post, is not there any more."""
    TROUBLE = "trouble"
    """Our own fault: scoring this photo failed again and again."""


@dataclass(frozen=True)
class ScoreRequest:
    """Please score this selfie."""

    selfie_id: int
    """The row's id in the bot's database; comes back in the result."""
    attempt: int
    """Counts the row's dispatches; with `selfie_id` it makes the job's id."""
    photo_url: str

    @property
    def job_id(self) -> str:
        """The queue's id for this job: asking twice for one attempt makes one job."""
        return f"selfie-{self.selfie_id}-{self.attempt}"

    def to_json(self) -> dict[str, Any]:
        """As the job's argument."""
        return asdict(self)

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read a job's argument back. Raises KeyError, TypeError or ValueError if it is not one."""
        return cls(int(message["selfie_id"]), int(message["attempt"]), str(message["photo_url"]))


Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of the upright photo."""


@dataclass(frozen=True)
class ScoreResult:
    """A selfie's score and the picture to post, or the reason why there is none."""

    selfie_id: int
    attempt: int
    refusal: Refusal | None = None
    score: float | None = None
    """0..9, not rounded; None with a refusal."""
    plus_minus: float | None = None
    """Points by which people's mean rating may lie off, two times in three; None with a refusal."""
    faces: int = 0
    """How many faces were found; the largest was scored."""
    crop: Box | None = None
    crop_score: float | None = None
    picture: bytes | None = None
    """The rendered answer as JPEG, without metadata; None with a refusal."""

    @property
    def job_id(self) -> str:
        """The queue's id for handing this result over."""
        return f"reply-{self.selfie_id}-{self.attempt}"

    def to_json(self) -> dict[str, Any]:
        """As the job's argument: the picture in base64."""
        message = asdict(replace(self, picture=None))
        if self.picture is not None:
            message["picture"] = base64.b64encode(self.picture).decode("ascii")
        return message

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read a job's argument back. Raises KeyError, TypeError or ValueError if it is not one."""
        fields = dict(message)
        if fields["refusal"] is not None:
            fields["refusal"] = Refusal(fields["refusal"])
        if fields["crop"] is not None:
            left, top, right, bottom = fields["crop"]
            fields["crop"] = (left, top, right, bottom)
        if fields["picture"] is not None:
            fields["picture"] = base64.b64decode(fields["picture"], validate=True)
        return cls(**fields)


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """Where Selfai keeps its files on this machine: SELFAI_HOME, else `var` in this folder."""
    return Path(environment.get("SELFAI_HOME") or "var").absolute()


def queue_socket(environment: Mapping[str, str] = os.environ) -> Path:
    """The private socket that `selfai queue` serves: `queue.sock` in our home.

    Where that path is longer than a socket's name may be, a short one that follows from it.
    """
    socket = home(environment) / "queue.sock"
    if len(os.fsencode(socket)) <= LONGEST_SOCKET:
        return socket
    place = hashlib.sha256(os.fsencode(socket)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"selfai-{os.getuid()}-{place}" / "queue.sock"


def queue_url(environment: Mapping[str, str] = os.environ) -> str:
    """The queue's address: REDIS_URL, else the private socket that `selfai queue` serves."""
    return environment.get("REDIS_URL") or f"unix://{quote(str(queue_socket(environment)))}"
