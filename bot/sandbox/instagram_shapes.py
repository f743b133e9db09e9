"""The world's things as Instagram's private API writes them in JSON."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.sandbox.instagram_requests import Desk
from bot.sandbox.instagram_things import (
    Account,
    Comment,
    MediaKind,
    Message,
    MessageKind,
    Photo,
    Post,
    Thread,
)

CODE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

Json = dict[str, Any]


def shortcode(pk: int) -> str:
    """A media's name in links."""
    code = ""
    while pk:
        pk, rest = divmod(pk, 64)
        code = CODE[rest] + code
    return code


class Shapes:
    """Writes things down for one request."""

    def __init__(self, desk: Desk, request: web.Request) -> None:
        self._desk = desk
        self._request = request

    def user(self, account: Account) -> Json:
        """A user in short."""
        return {
            "pk": account.pk,
            "pk_id": str(account.pk),
            "id": str(account.pk),
            "username": account.username,
            "full_name": account.full_name,
            "is_private": False,
            "is_verified": False,
            "profile_pic_url": self._desk.face(self._request, account),
            "profile_pic_id": f"{account.pk}_1",
            "has_anonymous_profile_picture": False,
        }

    def profile(self, account: Account) -> Json:
        """A user at length."""
        posts = self._desk.world.posts_of(account)
        return {
            **self.user(account),
            "biography": "",
            "external_url": "",
            "is_business": False,
            "media_count": len(posts),
            "follower_count": 0,
            "following_count": 0,
            "hd_profile_pic_versions": [],
            "hd_profile_pic_url_info": {"url": self._desk.face(self._request, account)},
            "account_type": 1,
        }

    def candidates(self, photo: Photo) -> Json:
        """A photo in the sizes it is served in; the first is the largest."""
        url = self._desk.url(self._request, photo)
        sizes = [(photo.width, photo.height), (max(photo.width // 3, 1), max(photo.height // 3, 1))]
        return {"candidates": [{"width": w, "height": h, "url": url} for w, h in sizes]}

    def media(self, post: Post) -> Json:
        """A post."""
        media: Json = {
            "pk": post.pk,
            "id": post.id,
            "code": shortcode(post.pk),
            "taken_at": post.taken_at,
            "device_timestamp": post.taken_at * 1_000_000,
            "media_type": int(post.kind),
            "product_type": "carousel_container" if post.kind is MediaKind.ALBUM else "feed",
            "user": self.user(post.author),
            "caption": {"pk": post.pk + 1, "text": post.caption, "user_id": post.author.pk},
            "comment_count": len(post.comments),
            "like_count": 0,
            "has_liked": False,
            "usertags": {"in": []},
            "commenting_disabled_for_viewer": post.comments_off,
            "can_viewer_save": True,
        }
        return {**media, **self._contents(post)}

    def _contents(self, post: Post) -> Json:
        if post.kind is MediaKind.ALBUM:
            resources = [self._resource(post, number) for number in range(len(post.photos))]
            return {"carousel_media": resources, "carousel_media_count": len(resources)}
        cover = {"image_versions2": self.candidates(post.photos[0])} if post.photos else {}
        return {**cover, **(self._video() if post.kind is MediaKind.VIDEO else {})}

    def _resource(self, post: Post, number: int) -> Json:
        pk = post.pk + 1 + number
        return {
            "pk": pk,
            "id": f"{pk}_{post.author.pk}",
            "media_type": int(MediaKind.PHOTO),
            "carousel_parent_id": post.id,
            "image_versions2": self.candidates(post.photos[number]),
        }

    def _video(self) -> Json:
        url = f"{self._desk.face(self._request, self._desk.world.bot)}.mp4"
        return {
            "video_versions": [{"type": 101, "width": 720, "height": 1280, "url": url, "id": "1"}],
            "video_duration": 3.0,
        }

    def comment(self, comment: Comment, post: Post) -> Json:
        """A comment."""
        return {
            "pk": str(comment.pk),
            "user_id": comment.author.pk,
            "user": self.user(comment.author),
            "text": comment.text,
            "type": 0,
            "created_at": comment.created_at,
            "created_at_utc": comment.created_at,
            "content_type": "comment",
            "status": "Active",
            "media_id": post.pk,
            "has_liked_comment": False,
            "comment_like_count": 0,
            "child_comment_count": 0,
        }

    def thread(self, thread: Thread, viewer: Account, messages: list[Message], older: str | None) -> Json:
        """A conversation as `viewer` sees it, newest message first."""
        partner = thread.partner(viewer)
        cursors = {"oldest_cursor": older} if older else {}
        return {
            "thread_id": str(thread.thread_id),
            "thread_v2_id": str(thread.short_id),
            "users": [self.user(partner)],
            "left_users": [],
            "admin_user_ids": [],
            "inviter": self.user(thread.opener),
            "viewer_id": viewer.pk,
            "items": [self.message(message, viewer) for message in messages],
            "last_activity_at": thread.last_activity,
            "muted": False,
            "is_pin": False,
            "named": False,
            "canonical": True,
            "pending": thread.pending_for(viewer),
            "archived": False,
            "thread_type": "private",
            "thread_title": partner.username,
            "folder": 0,
            "vc_muted": False,
            "is_group": False,
            "mentions_muted": False,
            "approval_required_for_new_members": False,
            "input_mode": 0,
            "read_state": 0,
            "shh_mode_enabled": False,
            "last_seen_at": self._seen(thread),
            "has_older": older is not None,
            "has_newer": False,
            **cursors,
        }

    def _seen(self, thread: Thread) -> Json:
        return {
            str(pk): {
                "item_id": str(message.item_id),
                "timestamp": str(message.created),
                "created_at": str(message.created),
                "shh_seen_state": {},
            }
            for pk, message in thread.seen.items()
        }

    def message(self, message: Message, viewer: Account) -> Json:
        """One item of a conversation."""
        emojis = [
            {
                "timestamp": one.created,
                "sender_id": one.author.pk,
                "emoji": one.emoji,
                "super_react_type": "none",
            }
            for one in message.reactions
        ]
        reactions = {"reactions": {"likes": [], "likes_count": 0, "emojis": emojis}} if emojis else {}
        return {
            "item_id": str(message.item_id),
            "user_id": message.author.pk,
            "timestamp": message.created,
            "item_type": message.kind.value,
            "client_context": message.client_context,
            "is_sent_by_viewer": message.author.pk == viewer.pk,
            "is_shh_mode": False,
            **reactions,
            **self._said(message),
        }

    def _said(self, message: Message) -> Json:
        if message.kind is MessageKind.TEXT:
            return {"text": message.text or ""}
        if message.kind is MessageKind.LIKE:
            return {"like": "❤️"}
        if message.kind is MessageKind.ACTION:
            return {"action_log": {"description": message.text or "", "bold": []}}
        if message.kind is MessageKind.LINK:
            return {"link": self._link(message)}
        if message.kind is MessageKind.SHARE:
            return {"media_share": self.media(message.post)} if message.post else {}
        return {**self._pictured(message), **({"text": message.text} if message.text else {})}

    def _link(self, message: Message) -> Json:
        image = self._desk.url(self._request, message.photos[0]) if message.photos else ""
        context = {
            "link_url": message.url or "",
            "link_title": "",
            "link_summary": "",
            "link_image_url": image,
        }
        return {
            "text": message.text or message.url or "",
            "link_context": context,
            "client_context": message.client_context,
        }

    def _pictured(self, message: Message) -> Json:
        if message.kind is MessageKind.XMA_SHARE:
            return {"xma_media_share": [self._xma(message)]}
        if message.kind is MessageKind.ONCE:
            return {"visual_media": {"media": self._once(message), "view_mode": "once", "seen_count": 0}}
        return {"media": self._direct_media(message)}

    def _xma(self, message: Message) -> Json:
        photo = message.photos[0] if message.photos else message.post.photos[0] if message.post else None
        preview = self._desk.url(self._request, photo) if photo else ""
        code = shortcode(message.post.pk if message.post else 1)
        return {
            "target_url": f"https://www.instagram.com/p/{code}/",
            "title_text": message.text or "",
            "header_title_text": message.author.username,
            "preview_url": preview,
            "preview_url_mime_type": photo.content_type if photo else "",
        }

    def _direct_media(self, message: Message) -> Json:
        media: Json = {"id": str(message.item_id), "media_type": int(MediaKind.PHOTO)}
        if message.video or not message.photos:
            return {**media, "media_type": int(MediaKind.VIDEO), **self._video()}
        if len(message.photos) == 1:
            return {**media, "image_versions2": self.candidates(message.photos[0])}
        parts = [
            {"pk": f"{message.item_id}{number}", "media_type": 1, "image_versions2": self.candidates(photo)}
            for number, photo in enumerate(message.photos)
        ]
        return {**media, "media_type": int(MediaKind.ALBUM), "carousel_media": parts}

    def _once(self, message: Message) -> Json:
        # Instagram gives the address only until it has been looked at; it is there to be left alone.
        photo = message.photos[0] if message.photos else None
        return {"media_type": 1, "image_versions2": self.candidates(photo)} if photo else {"media_type": 1}
