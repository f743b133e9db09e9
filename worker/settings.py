"""The worker's settings, read from the environment once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

import model

PACKAGED_WEIGHTS = Path(model.__file__).parent / "weights"


class SettingsError(Exception):
    """A setting is wrong; the message names it."""


class WorkerSettings(BaseSettings):
    """What the environment may say. The queue's address is `worker.messages.queue_url`'s."""

    model_config = SettingsConfigDict(env_prefix="SELFAI_", frozen=True, env_ignore_empty=True)

    weights: Path = PACKAGED_WEIGHTS
    """SELFAI_WEIGHTS: folder with the scorer's two files."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    """SELFAI_DEVICE: auto, cpu, cuda or cuda:1."""
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    """SELFAI_THREADS: CPU threads of PyTorch. One answers within a second; more gain little, and
    on a busy machine they wait for one another (measured: ten times as long)."""
    largest_download: Annotated[int, Field(ge=1)] = 20_000_000
    """SELFAI_LARGEST_DOWNLOAD: bytes of a picture that we fetch at most."""


def read_settings() -> WorkerSettings:
    """Read the environment. Raises SettingsError, naming the setting and what it must be."""
    try:
        return WorkerSettings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = f"SELFAI_{'_'.join(str(part) for part in wrong['loc'])}".upper()
        raise SettingsError(f"{name} is {wrong['input']!r}: {wrong['msg']}") from error
