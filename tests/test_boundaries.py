from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEARNING = {"torch", "torchvision", "facenet_pytorch", "model"}
BOT_MODULES = [
    "bot.__main__",
    "bot.parts",
    "bot.check",
    "bot.demo",
    "bot.platforms.x",
    "bot.platforms.instagram",
]


def _loaded(statement: str) -> set[str]:
    """What stands in `sys.modules` of a fresh process after a statement."""
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", BOT_MODULES)
def test_the_bot_loads_neither_torch_nor_the_model(module: str) -> None:
    """A fresh process that imports the bot's half finds no torch in it."""
    assert not _loaded(f"import {module}") & LEARNING


def test_help_loads_neither_torch_nor_a_platform() -> None:
    """`selfai --help` lists the worker's commands without importing what they need."""
    loaded = _loaded(
        "import contextlib, io, bot.__main__ as m\n"
        "with contextlib.redirect_stdout(io.StringIO()) as out:\n"
        "    m.cli.main(['--help'], standalone_mode=False)\n"
        "assert 'score' in out.getvalue()"
    )
    assert not loaded & (LEARNING | {"tweepy", "instagrapi", "sqlalchemy"})


def test_messages_need_the_standard_library_only() -> None:
    """The one module that both sides share drags nothing in."""
    before = _loaded("pass")
    loaded = {name.partition(".")[0] for name in _loaded("import worker.messages") - before}
    assert loaded - set(sys.stdlib_module_names) == {"worker"}


def test_the_import_rules_hold() -> None:
    """import-linter finds every contract of pyproject.toml kept."""
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_every_test_says_what_it_tests() -> None:
    """Each test function has a docstring."""
    silent = [
        f"{file.relative_to(ROOT)}::{node.name}"
        for file in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []
