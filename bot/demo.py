"""`selfai demo`: every part of Selfai on this machine, against the sandbox, and some portraits sent in.

The bot's parts run as processes of their own, as in real operation; the sandbox lives in this one.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bot import parts, schema
from bot.children import Child, Children, wait_for_line
from bot.database import open_database
from bot.demo_database import fresh_database
from bot.demo_samples import Sample, post_samples
from bot.demo_story import Story, record
from bot.errors import OperatorError
from bot.sandbox.feed import Entry, Way
from bot.sandbox.server import Ports, Sandbox
from bot.settings import load_settings
from worker import messages

OUT = Path("demo")
"""Where `--once` writes the answers, in the working folder."""

PAGE_PORT = 8000
"""The page's port where it is free and none was asked for."""

PATIENCE = 120.0
"""Seconds, after set-up, in which every sample must be answered."""

LOADING_PATIENCE = 300.0
"""Seconds that the worker may take to load its model: a first start reads gigabytes from disk."""

LOOK_SECONDS = 0.2

NOT_OURS = ("REDIS_URL", "INSTAGRAM_TOTP_SEED")
"""Settings of the real bot that the demo keeps out."""


class DemoError(Exception):
    """The demo cannot go on; the message is for the person who started it."""


def run_demo(once: bool, page_port: int | None = None) -> int:
    """Run the demo until Ctrl-C, or with `once` until every sample is answered; gives the exit status.

    Raises OperatorError if a port is taken, a demo runs already, or PostgreSQL is away.
    """
    stop = parts.stop_on_signals()
    home = _fresh_home()
    with _sandbox(page_port) as sandbox:
        demo = Demo(home, sandbox, Console(highlight=False, soft_wrap=True))
        try:
            demo.set_up(stop)
            samples = demo.send_samples()
            return demo.answer_once(samples, stop) if once else demo.stay(samples, stop)
        except DemoError as error:
            demo.say(str(error), "red")
            return 1
        finally:
            demo.end()


class Demo:
    """The parts, and what is told of them."""

    def __init__(self, home: Path, sandbox: Sandbox, console: Console) -> None:
        self._home = home
        self._sandbox = sandbox
        self._console = console
        self._started = time.monotonic()
        url = fresh_database(home)
        self._children = Children(_environment(home, url, sandbox), home / "logs")
        self._engine = open_database(url)
        self._story = Story(self._engine, sandbox.feed, self._tell)

    def set_up(self, stop: threading.Event) -> None:
        """Start everything; returns once the worker has its model. Raises DemoError."""
        self.say(f"Sandbox    X at {self._sandbox.x_url}, Instagram at {self._sandbox.instagram_url}")
        schema.upgrade(self._engine)
        self.say(f"Database   {self._engine.url.render_as_string(hide_password=True)}")
        self._children.start("queue")
        parts.open_queue(load_settings(selfai_home=self._home, redis_url=None))
        self.say(f"Queue      {messages.queue_socket({'SELFAI_HOME': str(self._home)})}")
        worker = self._children.start("work")
        for command in (("poll", "x"), ("poll", "instagram"), ("respond",), ("sweep",)):
            self._children.start(*command)
        self.say("Bot        polls X and Instagram, answers, sweeps")
        self.say("Worker     loads the model ...")
        self._wait_for_worker(worker, stop)
        self.say(f"Worker     is ready. Logs of all: {self._home / 'logs'}")

    def send_samples(self) -> list[tuple[Sample, Entry]]:
        """Post the sample portraits."""
        self.say("")
        return post_samples(self._sandbox.feed)

    def answer_once(self, samples: Sequence[tuple[Sample, Entry]], stop: threading.Event) -> int:
        """Wait until all samples are answered, write the answers down; gives the exit status."""
        entries = [entry for _sample, entry in samples]
        wanting = {entry.id for sample, entry in samples if sample.wants_picture}
        give_up = time.monotonic() + PATIENCE
        missing = entries
        while missing and time.monotonic() < give_up and not stop.is_set():
            self._look(stop)
            missing = self._story.missing(entries, lambda entry: entry.id in wanting)
        self._story.tell_news()
        try:
            self._write_down(entries)
        except OSError as error:
            raise DemoError(f"The answers cannot be written to {OUT.resolve()}: {error}") from None
        if stop.is_set():
            return 130
        for entry in missing:
            outcome = self._story.outcome(entry)
            where = outcome.status if outcome else "not seen by the bot"
            self.say(f"No complete answer to {_who(entry)} within {PATIENCE:.0f} s: {where}", "red")
        if not missing:
            self.say(f"\nAll {len(entries)} samples are answered: see {OUT / 'replies.json'}", "green")
        return 1 if missing else 0

    def stay(self, samples: Sequence[tuple[Sample, Entry]], stop: threading.Event) -> int:
        """Go on until Ctrl-C; tells how to try it."""
        wanting = {entry.id for sample, entry in samples if sample.wants_picture}
        entries = [entry for _sample, entry in samples]
        while not stop.is_set() and self._story.missing(entries, lambda entry: entry.id in wanting):
            self._look(stop)
        if not stop.is_set():
            self.say(
                f"\nYour turn: open {self._sandbox.page_url} and send a photo of your own.", "bold green"
            )
            self.say("Ctrl-C ends everything.\n", "bold")
        while not stop.is_set():
            self._look(stop)
        return 0

    def end(self) -> None:
        """End every process."""
        self._children.stop()
        self._engine.dispose()

    def say(self, words: str, style: str = "") -> None:
        """Print a line."""
        self._console.print(Text(words, style=style))

    def _look(self, stop: threading.Event) -> None:
        self._story.tell_news()
        if not stop.is_set():
            self._mind_the_dead()
        stop.wait(LOOK_SECONDS)

    def _mind_the_dead(self) -> None:
        child = self._children.dead()
        if child is not None:
            lines = "\n".join(f"    {line}" for line in child.last_lines())
            raise DemoError(f"selfai {child.name} ended with {child.process.returncode}:\n{lines}")

    def _wait_for_worker(self, worker: Child, stop: threading.Event) -> None:
        give_up = time.monotonic() + LOADING_PATIENCE
        while not wait_for_line(worker, "worker ready", 1):
            self._mind_the_dead()
            if stop.is_set():
                return
            if time.monotonic() > give_up:
                raise DemoError(
                    f"The worker did not load its model in {LOADING_PATIENCE:.0f} s: {worker.log}"
                )

    def _tell(self, entry: Entry, what: str) -> None:
        line = Text(f"{time.monotonic() - self._started:6.1f} s  ", style="dim")
        line.append(f"{_who(entry):24}", style="cyan" if entry.way.platform == "x" else "magenta")
        line.append(what, style="green" if what.startswith("“") else "default")
        self._console.print(line)

    def _write_down(self, entries: Sequence[Entry]) -> None:
        OUT.mkdir(exist_ok=True)
        for old in OUT.glob("*.jpg"):
            old.unlink()
        answers = []
        for entry in entries:
            for number, reply in enumerate(self._sandbox.feed.replies(entry)):
                name = f"{entry.id}-{entry.way}{f'-{number}' if number else ''}.jpg"
                if reply.picture is not None:
                    (OUT / name).write_bytes(reply.picture)
                shown = str(OUT / name) if reply.picture is not None else None
                answers.append(record(entry, self._story.outcome(entry), reply, shown))
        text = json.dumps(answers, indent=2, ensure_ascii=False)
        (OUT / "replies.json").write_text(text + "\n", encoding="utf-8")


def _who(entry: Entry) -> str:
    place = {Way.TWEET: "X", Way.TAG: "Instagram", Way.MESSAGE: "Instagram DM"}[entry.way]
    return f"{place} @{entry.person}"


def _fresh_home() -> Path:
    """An empty folder for one demo at a time. Raises OperatorError if one runs already."""
    home = load_settings().home / "demo"
    try:
        home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Held until this process ends.
        lock = os.open(home.parent / "demo.lock", os.O_CREAT | os.O_RDWR, 0o600)
        _hold(lock, home)
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
    except OSError as error:
        raise OperatorError(f"SELFAI_HOME: no folder for the demo: {error}") from None
    return home


def _hold(lock: int, home: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise OperatorError(f"a demo runs already in {home}: stop it, or set another SELFAI_HOME") from None


def _sandbox(page_port: int | None) -> Sandbox:
    # X's limits are for one question a minute; here it is one a second.
    if page_port is not None:
        return Sandbox(Ports(page=page_port), limit_factor=100)
    try:
        return Sandbox(Ports(page=PAGE_PORT), limit_factor=100).start()
    except OperatorError:
        return Sandbox(limit_factor=100)


def _environment(home: Path, database: str, sandbox: Sandbox) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    return {
        **kept,
        **sandbox.environment(),
        "SELFAI_HOME": str(home),
        "DATABASE_URL": database,
        "X_POLL_SECONDS": "1",
        "INSTAGRAM_POLL_SECONDS": "1",
        "SWEEP_SECONDS": "1",
        "SELFAI_STALE_SECONDS": "20",
    }
