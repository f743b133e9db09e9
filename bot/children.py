"""The demo's processes: started with a log each, watched, and ended together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

END_SECONDS = 10.0
"""How long a process may take to end by itself."""

LAST_LINES = 8
"""Lines of its log that are shown of a process that died."""


@dataclass(frozen=True)
class Child:
    """A running `selfai` command."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_lines(self) -> list[str]:
        """The end of its log."""
        return self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]


class Children:
    """Processes that live no longer than this one, whatever ends it."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = dict(environment)
        self._logs = logs
        self._children: list[Child] = []

    def start(self, *arguments: str) -> Child:
        """Start `selfai ARGUMENTS`; its log is named after them."""
        name = " ".join(arguments)
        log = self._logs / f"{'-'.join(arguments)}.log"
        self._logs.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "bot", "--end-with", str(os.getpid()), *arguments]
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A Ctrl-C is for us; we end them in good order.
                start_new_session=True,
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def dead(self) -> Child | None:
        """One that ended though nobody asked it to."""
        return next((child for child in self._children if child.process.poll() is not None), None)

    def stop(self) -> None:
        """End all at once, but the one started first last: the others lean on it."""
        first, others = self._children[:1], self._children[1:]
        self._children.clear()
        for together in (others, first):
            for child in together:
                child.process.terminate()
            for child in together:
                _await(child)


def _await(child: Child) -> None:
    # Not told a second time: a process on its way out has put its signal handlers down.
    try:
        child.process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()


def wait_for_line(child: Child, text: str, seconds: float, pause: float = 0.1) -> bool:
    """Whether `text` stands in the child's log within so many seconds, and the child lives."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up and child.process.poll() is None:
        if text in child.log.read_text(errors="replace"):
            return True
        time.sleep(pause)
    return False
