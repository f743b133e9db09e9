"""Hashtags, posts, comments and uploads of posts."""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import web

from bot.sandbox.instagram_problems import Refused
from bot.sandbox.instagram_requests import API, Desk, as_list, as_number, as_object, ok, read_form
from bot.sandbox.instagram_shapes import Shapes
from bot.sandbox.instagram_things import MediaKind, Photo, Post

SECTION_SIZE = 6
"""Posts in one page of a hashtag."""
COMMENTS_SIZE = 15
"""Comments in one page."""
FEED_SIZE = 18


class Posts:
    """The routes about posts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_routes(self, app: web.Application) -> None:
        """Serve them."""
        get, post = app.router.add_get, app.router.add_post
        post(f"{API}tags/{{tag}}/sections/", self._sections)
        get(f"{API}tags/{{tag}}/info/", self._tag)
        get(f"{API}feed/user/{{user}}/", self._feed)
        get(f"{API}media/{{media}}/info/", self._info)
        # instagrapi asks for the first page with GET, and for the next ones now with GET, now with POST.
        app.router.add_route("*", f"{API}media/{{media}}/comments/", self._comments)
        app.router.add_route("*", f"{API}media/{{media}}/stream_comments/", self._comments)
        get(f"{API}media/{{media}}/comments/{{comment}}/inline_child_comments/", self._replies)
        post(f"{API}media/{{media}}/comment/", self._comment)
        post(f"{API}media/{{media}}/comment/bulk_delete/", self._delete_comments)
        post(f"{API}media/{{media}}/delete/", self._delete)
        post(f"{API}media/configure/", self._publish)
        post(f"{API}media/configure_sidecar/", self._publish)
        post("/rupload_igphoto/{name}", self._upload)

    async def _sections(self, request: web.Request) -> web.Response:
        """A page of a hashtag: in no order, and with a post of the page before, as Instagram does."""
        self._desk.viewer(request)
        said = await read_form(request)
        posts = sorted(self._desk.world.posts_tagged(request.match_info["tag"]), key=_shuffled)
        start = as_number(said.get("max_id"))
        page = posts[max(start - 1, 0) : start + SECTION_SIZE]
        shapes = Shapes(self._desk, request)
        medias = [{"media": shapes.media(post)} for post in page]
        section = {"layout_type": "media_grid", "layout_content": {"medias": medias}, "feed_type": "media"}
        end = start + SECTION_SIZE
        more = {"next_max_id": str(end), "next_media_ids": [], "next_page": 1} if end < len(posts) else {}
        return ok(sections=[section] if medias else [], more_available=bool(more), **more)

    async def _tag(self, request: web.Request) -> web.Response:
        self._desk.viewer(request)
        tag = request.match_info["tag"]
        return ok(id="17841563000000000", name=tag, media_count=len(self._desk.world.posts_tagged(tag)))

    async def _feed(self, request: web.Request) -> web.Response:
        self._desk.viewer(request)
        author = self._desk.world.find_account(request.match_info["user"])
        posts = self._desk.world.posts_of(author) if author else []
        start = as_number(request.query.get("max_id"))
        shapes = Shapes(self._desk, request)
        items = [shapes.media(post) for post in posts[start : start + FEED_SIZE]]
        end = start + FEED_SIZE
        more = {"next_max_id": str(end)} if end < len(posts) else {}
        return ok(items=items, num_results=len(items), more_available=bool(more), **more)

    async def _info(self, request: web.Request) -> web.Response:
        self._desk.viewer(request)
        media = Shapes(self._desk, request).media(self._desk.post(request))
        return ok(items=[media], num_results=1, more_available=False)

    async def _comments(self, request: web.Request) -> web.Response:
        """The newest page first; `next_min_id` leads to older ones, as in the app's threaded view."""
        self._desk.viewer(request)
        post = self._desk.post(request)
        newest = list(reversed(post.comments))
        start = as_number({**request.query, **await read_form(request)}.get("min_id"))
        shapes = Shapes(self._desk, request)
        comments = [shapes.comment(one, post) for one in newest[start : start + COMMENTS_SIZE]]
        end = start + COMMENTS_SIZE
        more = {"next_min_id": str(end)} if end < len(newest) else {}
        return ok(
            comments=comments,
            comment_count=len(newest),
            has_more_comments=False,
            has_more_headload_comments=bool(more),
            threading_enabled=True,
            **more,
        )

    async def _replies(self, request: web.Request) -> web.Response:
        self._desk.viewer(request)
        return ok(child_comments=[], has_more_head_child_comments=False)

    async def _comment(self, request: web.Request) -> web.Response:
        viewer = self._desk.viewer(request)
        said = await read_form(request)
        post = self._desk.post(request)
        if post.comments_off or post.comments_limited:
            raise Refused("comments_off" if post.comments_off else "comments_limited")
        text, token = str(said.get("comment_text", "")), str(said.get("idempotence_token", ""))
        made = self._desk.world.comment(viewer, post, text, token)
        return ok(comment=Shapes(self._desk, request).comment(made, post))

    async def _delete_comments(self, request: web.Request) -> web.Response:
        viewer = self._desk.viewer(request)
        said = await read_form(request)
        post = self._desk.post(request)
        doomed = set(str(said.get("comment_ids_to_delete", "")).split(","))
        for comment in list(post.comments):
            if str(comment.pk) in doomed:
                if viewer not in (comment.author, post.author):
                    raise Refused("not_your_comment")
                post.comments.remove(comment)
        return ok()

    async def _delete(self, request: web.Request) -> web.Response:
        viewer = self._desk.viewer(request)
        post = self._desk.post(request)
        if post.author is not viewer:
            raise Refused("media_gone")
        return ok(did_delete=self._desk.world.delete_post(post.id))

    async def _upload(self, request: web.Request) -> web.Response:
        self._desk.viewer(request)
        said = as_object(request.headers.get("X-Instagram-Rupload-Params", ""))
        upload_id = str(said.get("upload_id") or request.match_info["name"].partition("_")[0])
        kind = request.headers.get("X-Entity-Type", "image/jpeg")
        self._desk.uploads[upload_id] = Photo.of(await request.read(), kind)
        return ok(upload_id=upload_id, xsharing_nonces={})

    async def _publish(self, request: web.Request) -> web.Response:
        """Make a post of an upload, or an album of several."""
        viewer = self._desk.viewer(request)
        said = await read_form(request)
        children = as_list(said.get("children_metadata") or [])
        ids = [_upload_id(child) for child in children or [said]]
        photos = [self._uploaded(upload_id) for upload_id in ids]
        kind = MediaKind.ALBUM if children else MediaKind.PHOTO
        post = self._desk.world.publish(viewer, str(said.get("caption", "")), kind, photos)
        media: dict[str, Any] = Shapes(self._desk, request).media(post)
        return ok(media=media, upload_id=str(said.get("upload_id")))

    def _uploaded(self, upload_id: str) -> Photo:
        photo = self._desk.uploads.pop(upload_id, None)
        if photo is None:
            raise Refused("upload_missing")
        return photo


def _upload_id(said: Any) -> str:
    return str(said.get("upload_id")) if isinstance(said, dict) else ""


def _shuffled(post: Post) -> bytes:
    return hashlib.sha256(str(post.pk).encode()).digest()
