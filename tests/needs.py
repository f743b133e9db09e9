"""What some tests need and a machine may lack: said once at the top, and required by `.ci/run`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

DATA = Path(__file__).parents[2] / "shared/data"
"""The rated faces and X's API description, beside the project; they are not part of it."""


def missing() -> list[str]:
    """What this machine lacks, and how to get it."""
    needs = {
        "PostgreSQL (set TEST_DATABASE_URL to a server's address)": bool(os.environ.get("TEST_DATABASE_URL")),
        "Chromium (install chromium)": chromium_program() is not None,
        "the rated faces (../shared/data)": DATA.exists(),
    }
    return [need for need, is_there in needs.items() if not is_there]


def chromium_program() -> str | None:
    """Where Chromium is installed, or None."""
    return shutil.which("chromium") or shutil.which("google-chrome")


def lack(what: str) -> NoReturn:
    """Skip the test; where SELFAI_TEST_ALL is set, as `.ci/run` does, fail instead."""
    if os.environ.get("SELFAI_TEST_ALL"):
        pytest.fail(f"needs {what}, and SELFAI_TEST_ALL is set")
    pytest.skip(f"needs {what}")
