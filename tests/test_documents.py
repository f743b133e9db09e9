from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.__main__ import cli
from bot.settings import Settings
from worker.settings import WorkerSettings

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
SETTINGS = [
    *(name.upper() for name in Settings.model_fields),
    *(f"SELFAI_{name.upper()}" for name in WorkerSettings.model_fields),
]


def _table(heading: str) -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition(f"### {heading}\n")[2].partition("\n#")[0]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_documented(name: str) -> None:
    """The README's table has a row for each environment variable that we read."""
    assert f"`{name}`" in _table("Settings")


def test_no_setting_is_documented_that_is_not_there() -> None:
    """What the table names is read."""
    named = set(re.findall(r"`([A-Z][A-Z0-9_]{4,})`", _table("Settings"))) - {"SELFAI_HOME"}
    assert named <= set(SETTINGS)


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_is_documented(command: str) -> None:
    """The README's table of commands has them all."""
    assert f"selfai {command}" in _table("Commands")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """Each relative link names a file that is there."""
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_process_of_the_procfile_is_a_command() -> None:
    """The Procfile calls commands that exist."""
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    assert {line.split()[2] for line in lines} <= set(cli.commands)
