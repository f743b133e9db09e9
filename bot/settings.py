"""Everything the bot reads from its environment, once, into something frozen.

Each field's name is its environment variable's, in small letters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import OperatorError
from worker import messages

X_CREDENTIALS = ("x_api_key", "x_api_secret", "x_access_token", "x_access_secret")
"""Settings that X needs, all or none."""

INSTAGRAM_CREDENTIALS = ("instagram_username", "instagram_password")
"""Settings that Instagram needs, both or none."""


def _web_address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must be an address that starts with http:// or https://")
    return value.rstrip("/")


def _hashtag(value: str) -> str:
    tag = value.removeprefix("#")
    if not tag.replace("_", "").isalnum():
        raise ValueError("must be one word: letters, digits and underscores")
    return tag


YEAR = 365 * 24 * 3600.0
"""Seconds; no interval is longer, and Python's clocks overflow somewhere beyond."""

Seconds = Annotated[float, Field(gt=0, le=YEAR, allow_inf_nan=False)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class Settings(BaseSettings):
    """How this bot is set up. Secrets do not show when it is printed."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    database_url: SecretStr | None = None
    """PostgreSQL's address; None: SQLite in `home`."""
    redis_url: SecretStr | None = None
    """The queue's address; None: the private socket in `home`."""
    selfai_home: Path | None = None
    """Folder for all that this machine keeps; None: `var` in the working folder."""

    x_api_key: SecretStr | None = None
    x_api_secret: SecretStr | None = None
    x_access_token: SecretStr | None = None
    x_access_secret: SecretStr | None = None
    x_api_url: WebAddress | None = None
    """Another server that speaks X's protocol (the sandbox); None: X itself."""
    x_poll_seconds: Seconds = 60

    instagram_username: str | None = None
    instagram_password: SecretStr | None = None
    instagram_totp_seed: SecretStr | None = None
    """Seed of the two-factor codes; None: the account has no second factor."""
    instagram_api_url: WebAddress | None = None
    """Another server that speaks Instagram's protocol (the sandbox); None: Instagram itself."""
    instagram_poll_seconds: Seconds = 300

    selfai_hashtag: Annotated[str, AfterValidator(_hashtag)] = "selfai_robot"
    """Hashtag that asks for a score on Instagram, without the #."""
    sweep_seconds: Seconds = 30
    """Between two looks for selfies that stand still."""
    selfai_stale_seconds: Seconds = 120
    """How long a selfie may stand still before the sweeper picks it up."""

    @model_validator(mode="after")
    def _all_or_none(self) -> Settings:
        seeded = self.instagram_totp_seed is not None
        for needed, wanted in ((X_CREDENTIALS, False), (INSTAGRAM_CREDENTIALS, seeded)):
            missing = [name for name in needed if getattr(self, name) is None]
            if missing and (wanted or len(missing) < len(needed)):
                names = ", ".join(name.upper() for name in missing)
                raise ValueError(f"{names} missing: set all of {_shown(needed)}, or none to leave it off")
        return self

    @property
    def x_is_on(self) -> bool:
        """Whether there are credentials for X."""
        return self.x_api_key is not None

    @property
    def instagram_is_on(self) -> bool:
        """Whether there are credentials for Instagram."""
        return self.instagram_username is not None

    @property
    def home(self) -> Path:
        """Where Selfai keeps its files on this machine; absolute."""
        return messages.home(self._shared())

    @property
    def queue_url(self) -> str:
        """The queue's address, as the worker finds it too."""
        return messages.queue_url(self._shared())

    def _shared(self) -> dict[str, str]:
        """The settings that bot and worker have in common, as the environment gives them."""
        url = self.redis_url.get_secret_value() if self.redis_url else ""
        return {"REDIS_URL": url, "SELFAI_HOME": str(self.selfai_home or "")}


def database_url(settings: Settings) -> str:
    """The database's address: DATABASE_URL, else a SQLite file in the bot's home."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return f"sqlite:///{settings.home}/selfai.sqlite"


def load_settings(**given: Any) -> Settings:
    """Read the environment; `given` goes before it. Raises OperatorError naming what is wrong."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise OperatorError("; ".join(_complaint(dict(detail)) for detail in error.errors())) from None


def _complaint(detail: dict[str, Any]) -> str:
    name = ".".join(str(part).upper() for part in detail["loc"])
    message = str(detail["msg"]).removeprefix("Value error, ")
    return f"{name}: {message}" if name else message


def _shown(names: tuple[str, ...]) -> str:
    return ", ".join(name.upper() for name in names)
