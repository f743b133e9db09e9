"""X's own description of its API, to hold answers against."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests import needs

VERSIONS = ("2.166", "2.167")

_FOLDER = needs.DATA / "x-api"


def check(answer: requests.Response, version: str) -> None:
    """Hold an answer against what `version` says of its route, status and content type.

    Skips the test where the description is not at hand.
    """
    document = _document(version)
    path = _template(document, urlsplit(str(answer.request.url)).path)
    responses = document["paths"][path][str(answer.request.method).lower()]["responses"]
    status = str(answer.status_code) if str(answer.status_code) in responses else "default"
    content_type = answer.headers["Content-Type"].partition(";")[0]
    place = f"/paths/{_escape(path)}/{str(answer.request.method).lower()}/responses/{status}"
    schema = {"$ref": f"urn:x#{place}/content/{_escape(content_type)}/schema"}
    Draft202012Validator(schema, registry=_registry(version)).validate(answer.json())


@cache
def _document(version: str) -> dict[str, Any]:
    file = _FOLDER / f"openapi-{version}.json"
    if not file.exists():
        pytest.skip(f"{file.name} is not at hand")
    document: dict[str, Any] = json.loads(file.read_text())
    return document


@cache
def _registry(version: str) -> Registry[Any]:
    resource = DRAFT202012.create_resource(_document(version))
    registry: Registry[Any] = Registry()
    filled: Registry[Any] = registry.with_resource("urn:x", resource)
    return filled


def _template(document: dict[str, Any], path: str) -> str:
    if path in document["paths"]:
        return path
    for template in document["paths"]:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return str(template)
    raise KeyError(path)


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
