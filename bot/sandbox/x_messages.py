"""The small X's routes for direct messages between two accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.sandbox.x_accounts import Account
from bot.sandbox.x_call import Call
from bot.sandbox.x_media import usable_media
from bot.sandbox.x_paging import part
from bot.sandbox.x_posts import Message
from bot.sandbox.x_problems import forbidden, invalid, missing
from bot.sandbox.x_shapes import Json

LONGEST = 10_000
"""Characters in a message."""


async def get_events(call: Call) -> Json:
    """GET /2/dm_events"""
    return _listing(call, call.world.messages_of(call.me))


async def get_events_with(call: Call) -> Json:
    """GET /2/dm_conversations/with/{participant_id}/dm_events"""
    return _listing(call, call.world.messages_of(call.me, call.account("participant_id").id))


async def get_events_in(call: Call) -> Json:
    """GET /2/dm_conversations/{id}/dm_events"""
    return _listing(call, call.world.messages_of(call.me, _other(call).id))


async def get_event(call: Call) -> Json:
    """GET /2/dm_events/{event_id}"""
    event_id = call.id("event_id")
    found = [message for message in call.world.messages_of(call.me) if message.id == event_id]
    if not found:
        raise missing("event_id", event_id, "dm_event")
    return {"data": call.view.message(found[0]), **call.view.includes()}


async def delete_event(call: Call) -> Json:
    """DELETE /2/dm_events/{event_id}"""
    event_id = call.id("event_id")
    with call.world.lock:
        found = [message for message in call.world.messages_of(call.me) if message.id == event_id]
        for message in found:
            call.world.messages.remove(message)
    return {"data": {"deleted": bool(found)}}


async def send_with(call: Call) -> Json:
    """POST /2/dm_conversations/with/{participant_id}/messages"""
    return await _send(call, call.account("participant_id"))


async def send_in(call: Call) -> Json:
    """POST /2/dm_conversations/{dm_conversation_id}/messages"""
    return await _send(call, _other(call))


async def _send(call: Call, recipient: Account) -> Json:
    body = await call.json()
    if recipient.id == call.me.id:
        raise forbidden("You cannot send messages to yourself.")
    text, attachments = body.get("text") or "", _media_ids(body.get("attachments"))
    if not isinstance(text, str) or len(text) > LONGEST or not (text or attachments):
        raise invalid("text", text, f"A message needs text (at most {LONGEST} characters) or an attachment")
    media = usable_media(call, attachments, "attachments.media_id")
    message = call.world.add_message(call.me, recipient, text, media[0] if media else None)
    return {"data": {"dm_conversation_id": message.conversation_id, "dm_event_id": message.id}}


def _listing(call: Call, messages: Sequence[Message]) -> Json:
    kinds = call.query.parameters.get("event_types", "MessageCreate").split(",")
    shown, meta = part(messages if "MessageCreate" in kinds else [], call.query, default=100, least=1)
    data = [call.view.message(message) for message in shown]
    return {**({"data": data} if data else {}), "meta": meta, **call.view.includes()}


def _other(call: Call) -> Account:
    conversation = call.request.match_info["id"]
    ids = conversation.split("-")
    others = [call.world.accounts.with_id(one) for one in ids if one != call.me.id]
    if len(ids) != 2 or len(others) != 1 or others[0] is None:
        raise missing("id", conversation, "dm_conversation")
    return others[0]


def _media_ids(attachments: Any) -> list[Any]:
    if attachments is None:
        return []
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        raise invalid("attachments", attachments, "$.attachments: is not a list of objects")
    return [one.get("media_id") for one in attachments[:1]]
