"""The bot's commands, one short function each. Whatever is large is imported when it is called."""

from __future__ import annotations

import json
import logging
import threading
from datetime import timedelta
from typing import Any

import click

from bot.settings import load_settings

log = logging.getLogger("bot")

Port = click.IntRange(0, 65535)


@click.command()
@click.option("--once", is_flag=True, help="End by itself once every sample is answered.")
@click.option("--page-port", type=Port, help="Port of the page; 0: any. [default: 8000 if free]")
def demo(once: bool, page_port: int | None) -> None:
    """Try it all on this machine.

    Starts every part against the sandbox, and posts sample portraits. Prints each step,
    and the address of a page where you can send a photo of your own.
    Ctrl-C ends it. With --once, writes the answers to demo/replies.json and exits with
    status 0, or 1 if an answer is missing after two minutes.

    \b
    Examples:
      selfai demo
      selfai demo --once
    """
    from bot.demo import run_demo

    raise SystemExit(run_demo(once=once, page_port=page_port))


@click.command()
@click.option("--x-port", type=Port, default=8001, show_default=True, help="Port of the small X; 0: any.")
@click.option("--instagram-port", type=Port, default=8002, show_default=True, help="Of the small Instagram.")
@click.option("--page-port", type=Port, default=8000, show_default=True, help="Of the page for people.")
@click.option("--json", "as_json", is_flag=True, help="Print addresses and credentials as one JSON line.")
def sandbox(x_port: int, instagram_port: int, page_port: int, as_json: bool) -> None:
    """Serve the simulated platforms alone.

    They live on loopback and in memory. Prints their addresses and everybody's credentials;
    docs/sandbox.md shows how to talk to them with tweepy, xdk and instagrapi.

    \b
    Examples:
      selfai sandbox
      selfai sandbox --x-port 0 --instagram-port 0 --page-port 0 --json
    """
    from bot.parts import stop_on_signals
    from bot.sandbox.server import Ports, Sandbox

    stop = stop_on_signals()
    with Sandbox(Ports(x_port, instagram_port, page_port), load_settings().selfai_hashtag) as running:
        told = running.credentials()
        click.echo(json.dumps(told) if as_json else _readable(told, running.environment()))
        stop.wait()


@click.command()
def queue() -> None:
    """Serve the embedded queue.

    It listens on a private socket. The server is Redis or Valkey from this machine, else
    the one that comes with Selfai. Its files lie in
    SELFAI_HOME. With REDIS_URL set there is nothing to serve, and it only waits.
    """
    from bot.queue_server import become_queue
    from worker import messages

    settings = load_settings()
    if settings.redis_url is not None:
        _idle("REDIS_URL is set: no embedded queue is needed.")
        return
    socket = messages.queue_socket({"SELFAI_HOME": str(settings.home)})
    click.echo(f"Starting the queue at {socket}", err=True)
    become_queue(settings.home, socket)


@click.command()
def migrate() -> None:
    """Bring the database's tables up to date."""
    from bot import schema
    from bot.database import open_database
    from bot.settings import database_url

    engine = open_database(database_url(load_settings()))
    schema.upgrade(engine)
    click.echo(f"The tables in {engine.url.render_as_string(hide_password=True)} are up to date.")


@click.command()
@click.argument("platform", type=click.Choice(["x", "instagram"]))
def poll(platform: str) -> None:
    """Ask a platform what is new.

    Again and again, until stopped.

    \b
    Examples:
      selfai poll x
      selfai poll instagram
    """
    from bot import parts

    settings = load_settings()
    found = parts.open_platforms(settings).get(platform)
    if found is None:
        name = {"x": "X_API_KEY", "instagram": "INSTAGRAM_USERNAME"}[platform]
        _idle(f"{platform} is off: {name} is not set.")
        return
    _log_to_stderr()
    stop = parts.stop_on_signals()
    poller = parts.build_poller(settings, found)
    log.info("Polling %s", platform)
    poller.run(stop)


@click.command()
def respond() -> None:
    """Post the answers, until stopped."""
    from bot import parts
    from worker.messages import REPLIES
    from worker.serving import serve

    _log_to_stderr()
    settings = load_settings()
    responder = parts.build_responder(settings)
    connection = parts.open_queue(settings)
    serve(connection, REPLIES, responder.functions())


@click.command()
def sweep() -> None:
    """Pick up what stands still."""
    from bot import parts

    _log_to_stderr()
    settings = load_settings()
    stop = parts.stop_on_signals()
    sweeper = parts.build_sweeper(settings)
    log.info("Sweeping every %g s", settings.sweep_seconds)
    sweeper.run(stop, timedelta(seconds=settings.sweep_seconds))


@click.command()
def check() -> None:
    """Look whether all is ready.

    Settings, database and its tables, queue, model, log-ins, brakes: one line each, with what to
    do where something is wrong. Exit status 1 if one is red. Prints no secrets. A log-in is a
    request to the platform.
    """
    from bot.check import run_checks

    raise SystemExit(run_checks())


@click.command()
@click.argument("platform", type=click.Choice(["x", "instagram"]))
def resume(platform: str) -> None:
    """Go on after a stop.

    When a platform says that something is wrong with our account, the bot stops there until
    a person has looked. Look first, then run this.

    \b
    Example:
      selfai resume instagram
    """
    from bot import parts

    released = parts.open_records(load_settings()).brakes.release(platform)
    for brake in released:
        click.echo(f"{platform}: {brake.action.value} goes on (was stopped: {brake.reason})")
    if not released:
        click.echo(f"{platform} was not stopped.")


@click.command()
@click.argument("platform", type=click.Choice(["x", "instagram"]))
@click.argument("author_id")
def forget(platform: str, author_id: str) -> None:
    """Delete all known of a person.

    AUTHOR_ID is the platform's number for them. What was still to be answered is given up. The
    posts' own ids stay, so that nothing is answered a second time.

    \b
    Example:
      selfai forget x 2244994945
    """
    from bot import parts

    count = parts.open_records(load_settings()).forget(platform, author_id)
    click.echo(f"Forgot {author_id} on {platform}: {count} {'selfie' if count == 1 else 'selfies'}.")


ALL: tuple[click.Command, ...] = (
    demo,
    sandbox,
    queue,
    migrate,
    poll,
    respond,
    sweep,
    check,
    resume,
    forget,
)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("bot", "worker"):
        logging.getLogger(name).setLevel(logging.INFO)


def _idle(why: str) -> None:
    """Stay, doing nothing: a process manager ends all when one process ends."""
    from bot.parts import stop_on_signals

    stop: threading.Event = stop_on_signals()
    click.echo(f"{why} Waiting to be stopped.", err=True)
    stop.wait()


def _readable(told: dict[str, Any], environment: dict[str, str]) -> str:
    lines = [
        f"Page       {told['page']['url']}",
        f"X          {told['x']['url']}    Instagram  {told['instagram']['url']}",
        "",
        "The bot's settings for this sandbox:",
        *(f"  export {name}={value}" for name, value in environment.items()),
        "",
        f"X, every app: api key {told['x']['api_key']}, api secret {told['x']['api_secret']}",
        f"  bearer token {told['x']['bearer_token']}",
    ]
    for name, keys in told["x"]["accounts"].items():
        lines += [f"  @{name} (id {keys['id']})"]
        lines += [f"    access token {keys['access_token']}, secret {keys['access_secret']}"]
        lines += [f"    OAuth 2 token {keys['oauth2_token']}"]
    lines.append("Instagram:")
    for name, keys in told["instagram"]["accounts"].items():
        lines.append(f"  @{name}, password {keys['password']}")
    return "\n".join([*lines, "", "Ctrl-C ends it."])
