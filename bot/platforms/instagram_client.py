"""instagrapi's client, made safe for a bot: nothing is sent twice, and nothing is waited for for ever.

Left alone, instagrapi sends a POST up to four times (on 500, 429, time-outs, cut answers) and has
no time-out. Here every request goes out once; whoever asked decides what to do about a failure.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from instagrapi import Client
from instagrapi.exceptions import (
    ClientConnectionError,
    ClientError,
    ClientIncompleteReadError,
    ClientRequestTimeout,
    LoginRequired,
)
from requests.adapters import BaseAdapter, HTTPAdapter

Json = dict[str, Any]

TIMEOUT = (5.0, 15.0)
"""Seconds to connect, and to wait for an answer."""
PAUSE_SECONDS = 1.0
"""Before each request to the real Instagram."""
MOST_PAGES = 10
"""How far back we leaf through comments or a conversation."""

HOSTS = ("i.instagram.com", "b.i.instagram.com", "www.instagram.com", "rupload.facebook.com")
FIRST_TOKEN = 6_800_011_111_111_111_111
TOKENS = 88_888_888_888_888
"""Mutation tokens are this many numbers, from the first on."""


def mutation_token(seed: str) -> str:
    """The token of a direct message: the same for the same seed, and shaped like the app's."""
    return str(FIRST_TOKEN + int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") % TOKENS)


class Unanswered(ClientConnectionError):  # type: ignore[misc]
    """A request that was sent, and may have been carried out, but got no whole answer."""


class Wire(BaseAdapter):
    """Sends each request once, with a time-out, to Instagram or to the server that stands in for it."""

    def __init__(self, inner: BaseAdapter, base_url: str | None) -> None:
        super().__init__()
        self._inner = inner
        self._base_url = base_url

    def send(  # noqa: PLR0917 - the signature that requests wants
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send it. Raises requests.RequestException."""
        if self._base_url is not None and request.url is not None:
            # The way to Instagram may lead through a proxy; the way to a stand-in does not.
            request.url, proxies = _moved(request.url, self._base_url), {}
        return self._inner.send(request, stream, timeout or TIMEOUT, verify, cert, proxies)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def _moved(url: str, base_url: str) -> str:
    scheme, host, *_ = urlsplit(base_url)
    return urlunsplit((scheme, host, *urlsplit(url)[2:]))


class BotClient(Client):  # type: ignore[misc]
    """One account's client. Not for several threads at once."""

    _seed: str | None = None

    def __init__(self, api_url: str | None) -> None:
        """`api_url`: a server that speaks Instagram's protocol instead of Instagram. Touches no network."""
        super().__init__(
            private_transport="curl" if api_url is None else "requests",
            with_challenge_flow=False,
            session_retry_total=0,
            public_request_retries_count=1,
            request_timeout=PAUSE_SECONDS if api_url is None else 0,
        )
        # instagrapi would ask for codes and passwords on the terminal.
        self.challenge_code_handler = self.change_password_handler = _ask_nobody
        self._uploads = requests.Session()
        self._guard(self.private, self.private.get_adapter("https://"), api_url)
        for session in (self.public, self._uploads):
            self._guard(session, HTTPAdapter(max_retries=0), api_url)

    def _guard(self, session: requests.Session, inner: BaseAdapter, api_url: str | None) -> None:
        # By host: instagrapi mounts its own adapter on https:// again whenever settings are loaded.
        for host in HOSTS:
            session.mount(f"https://{host}/", Wire(inner, api_url))

    def _send_private_request(self, *args: Any, **kwargs: Any) -> Any:
        """One request, once: instagrapi sends it again when these two are raised."""
        try:
            return super()._send_private_request(*args, **kwargs)
        except (ClientRequestTimeout, ClientIncompleteReadError) as error:
            raise Unanswered(str(error)) from error

    # -- Tokens by which we know our own comments and messages again ---------------------------------

    @contextmanager
    def tokens_from(self, seed: str) -> Iterator[None]:
        """What is sent meanwhile carries tokens made from `seed`."""
        self._seed = seed
        try:
            yield
        finally:
            self._seed = None

    def generate_mutation_token(self) -> str:
        """The next direct message's token."""
        return str(super().generate_mutation_token()) if self._seed is None else mutation_token(self._seed)

    def generate_uuid(self, prefix: str = "", suffix: str = "") -> str:
        """The next comment's token, and whatever else instagrapi needs one for."""
        if self._seed is None:
            return str(super().generate_uuid(prefix, suffix))
        return f"{prefix}{uuid.uuid5(uuid.NAMESPACE_OID, self._seed)}{suffix}"

    # -- Reading: as JSON, because instagrapi's models refuse a whole page for one odd item -----------

    def tagged(self, hashtag: str, pages: int) -> Iterator[Json]:
        """Posts with a hashtag, in no order, some of them twice."""
        asked: Json = {
            "tab": "recent",
            "media_recency_filter": "top_recent_posts",
            "_uuid": self.uuid,
            "include_persistent": "false",
            "rank_token": self.rank_token,
        }
        for _ in range(pages):
            page = self.private_request(f"tags/{hashtag}/sections/", data=asked, with_signature=False)
            for section in page["sections"]:
                yield from (node["media"] for node in self._hashtag_section_media_nodes(section))
            if not page.get("more_available") or not page.get("next_max_id"):
                return
            ids = json.dumps(page.get("next_media_ids") or [])
            asked = {**asked, "max_id": page["next_max_id"], "next_media_ids": ids}

    def threads(self, *, pending: bool) -> Iterator[Json]:
        """Conversations, or the requests of strangers, the most recently active first."""
        asked: Json = {
            "visual_message_return_type": "unseen",
            "thread_message_limit": "20",
            "persistentBadging": "true",
            "limit": "20",
            "is_prefetching": "false",
        }
        path = "direct_v2/pending_inbox/" if pending else "direct_v2/inbox/"
        for _ in range(MOST_PAGES):
            inbox = self.private_request(path, params=asked)["inbox"]
            yield from inbox.get("threads") or []
            if not inbox.get("oldest_cursor") or inbox.get("has_older") is False:
                return
            asked = {**asked, "cursor": inbox["oldest_cursor"], "direction": "older"}

    def messages(self, thread_id: str) -> Iterator[Json]:
        """A conversation's messages, newest first."""
        asked: Json = {"visual_message_return_type": "unseen", "direction": "older", "limit": "20"}
        for _ in range(MOST_PAGES):
            thread = self.private_request(f"direct_v2/threads/{thread_id}/", params=asked)["thread"]
            yield from thread.get("items") or []
            if not thread.get("oldest_cursor") or thread.get("has_older") is False:
                return
            asked = {**asked, "cursor": thread["oldest_cursor"]}

    def comments(self, media_id: str) -> Iterator[Json]:
        """The comments under a post."""
        asked: Json = {"can_support_threading": "true", "permalink_enabled": "false"}
        for _ in range(MOST_PAGES):
            page = self.private_request(f"media/{media_id}/comments/", params=asked)
            yield from page.get("comments") or []
            if page.get("has_more_comments") and page.get("next_max_id"):
                asked = {**asked, "max_id": page["next_max_id"]}
            elif page.get("has_more_headload_comments") and page.get("next_min_id"):
                asked = {**asked, "min_id": page["next_min_id"]}
            else:
                return

    # -- Writing -----------------------------------------------------------------------------------

    def send_photo(self, thread_id: str, jpeg: bytes) -> str:
        """Send a photo as it is, and give the message's id.

        instagrapi's `direct_send_photo` cuts off what is taller than 4:5 and packs it anew.
        """
        attachment = self._photo_rupload(jpeg, f"fb_uploader_{int(time.time() * 1000)}")
        token = self.generate_mutation_token()
        said = {
            "action": "send_item",
            "is_x_transport_forward": "false",
            "is_shh_mode": "0",
            "thread_ids": f"[{int(thread_id)}]",
            "send_attribution": "inbox",
            "client_context": token,
            "attachment_fbid": str(attachment),
            "mutation_token": token,
            "allow_full_aspect_ratio": "true",
            "btt_dual_send": "false",
            "is_ae_dual_send": "false",
            "offline_threading_id": token,
        }
        path = "direct_v2/threads/broadcast/photo_attachment/"
        sent = self.private_request(path, data=self.with_default_data(said), with_signature=False)
        return str(sent["payload"]["item_id"])

    def _photo_rupload(self, photo_bytes: bytes, entity_name: str) -> int:
        """Upload a photo for a message, over a session that has our time-out and address."""
        headers = self._messenger_rupload_headers({"image_type": "FILE_ATTACHMENT"})
        more = {"offset": "0", "x-entity-length": str(len(photo_bytes)), "x-entity-type": "image/jpeg"}
        answer = self._uploads.post(
            f"https://rupload.facebook.com/messenger_image/{entity_name}",
            data=photo_bytes,
            headers={
                **headers,
                **more,
                "content-type": "application/octet-stream",
                "x-entity-name": entity_name,
            },
        )
        if "login_required" in answer.text[:500]:
            raise LoginRequired(response=answer)
        if answer.status_code != 200:
            raise ClientError(f"photo not taken: {answer.text[:300]}", response=answer)
        return int(answer.json()["media_id"])


def _ask_nobody(*_: Any) -> str:
    return ""
