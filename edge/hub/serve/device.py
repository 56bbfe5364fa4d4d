"""Wire protocol 1, the hub's side: sealed bundles in, a portion at a time; acknowledgements out.

What is inside a bundle is judged by `receive`, as from a stick; here it is only carried.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from edge.hub.acknowledge import ack_of
from edge.hub.database import Database
from edge.hub.errors import HubError
from edge.hub.group import Outcome
from edge.hub.receive import receive, refuse
from edge.hub.serve.callers import Caller, TurnedAwayError, caller_of
from edge.hub.serve.openapi import description
from edge.hub.serve.render import Status
from edge.hub.serve.site import Site
from edge.hub.serve.uploads import MOST_PORTION, Answer, NoRoomError, Uploads, WrongOffsetError
from edge.sync.enrolment import DEVICE_NAME
from edge.sync.errors import RefusedError
from edge.sync.seal import LARGEST_SEALED
from edge.words import Words

OFFSET, LENGTH, REASON = "Upload-Offset", "Upload-Length", "Amauta-Reason"
SILENCE_S = 120.0
"""How long a device may pause in the middle of a portion."""

MOST_ACKS = 500
FULL_WAIT_S = 300

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,9}")

Deed = Callable[[Site, Database, Caller, Request, bytes], Response]


def routes(site: Site) -> list[Route]:
    """Return the devices' own way in, and its description."""
    uploads = Uploads(site.uploads)
    where = "/v1/bundles/{sha256}"
    return [
        Route("/v1/openapi.json", lambda request: JSONResponse(description()), methods=["GET"]),
        Route(where, partial(_answered, site, partial(offset, uploads)), methods=["HEAD"]),
        Route(where, partial(_answered, site, partial(append, uploads)), methods=["PATCH"]),
        Route("/v1/acks", partial(_answered, site, acks), methods=["GET"]),
        Route("/v1/acks/{name}", partial(_answered, site, ack), methods=["GET"]),
        Route("/v1/{rest:path}", partial(_unknown, 404), methods=["GET", "HEAD", "PATCH", "POST", "PUT", "DELETE"]),
    ]


async def _answered(site: Site, deed: Deed, request: Request) -> Response:
    """Read what there is to read, then do it where it may wait for the disk."""
    words: Words = request.state.words
    try:
        content = await _content(request)
        return await run_in_threadpool(_do, site, deed, request, content)
    except TurnedAwayError as error:
        return _said(words, error.status, error.reason, error.wait_s)
    except HubError as error:
        full = error.key == "hub-full"
        status = Status.FULL if full else HTTPStatus.SERVICE_UNAVAILABLE
        return _said(words, status, "hub-full" if full else "wire-later", FULL_WAIT_S if full else 30)


def _do(site: Site, deed: Deed, request: Request, content: bytes) -> Response:
    with site.database() as database:
        return deed(site, database, caller_of(site, database, request), request, content)


async def _content(request: Request) -> bytes:
    content = bytearray()
    chunks = request.stream()
    try:
        while True:
            content += await asyncio.wait_for(anext(chunks), SILENCE_S)
            if len(content) > MOST_PORTION:
                raise TurnedAwayError(Status.TOO_LARGE, "wire-large")
    except StopAsyncIteration:
        return bytes(content)
    except TimeoutError as error:
        raise TurnedAwayError(HTTPStatus.REQUEST_TIMEOUT, "wire-later") from error


def _unknown(status: int, request: Request) -> Response:
    return _said(request.state.words, status, "wire-unknown")


def other_version(request: Request) -> Response:
    """Say to a device of another version which one is spoken here."""
    return _said(request.state.words, HTTPStatus.NOT_FOUND, "wire-version")


def _said(words: Words, status: int, reason: str, wait_s: int = 0) -> JSONResponse:
    """Answer with a reason for the device and a sentence for whoever looks at it."""
    # An answer to HEAD has no body.
    headers = {REASON: reason} | ({"Retry-After": str(wait_s)} if wait_s else {})
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Amauta"
    return JSONResponse({"reason": reason, "say": _why(words, reason)}, status, headers)


def _why(words: Words, reason: str) -> str:
    return words.say(f"wire.why.{reason}") if words.has(f"wire.why.{reason}") else reason


def _name_of(request: Request) -> str:
    if not _SHA256.fullmatch(sha256 := request.path_params["sha256"]):
        raise TurnedAwayError(HTTPStatus.BAD_REQUEST, "wire-name")
    return str(sha256)


def _number(request: Request, header: str, most: int) -> int:
    found = request.headers.get(header, "")
    if not _NUMBER.fullmatch(found):
        raise TurnedAwayError(HTTPStatus.BAD_REQUEST, "wire-number")
    if int(found) > most:
        raise TurnedAwayError(Status.TOO_LARGE, "wire-large")
    return int(found)


def offset(
    uploads: Uploads, site: Site, database: Database, caller: Caller, request: Request, content: bytes
) -> Response:
    """Say how much of a bundle is here."""
    here, _ = uploads.here(caller.device, _name_of(request))
    return Response(headers={OFFSET: str(here)})


def append(
    uploads: Uploads, site: Site, database: Database, caller: Caller, request: Request, content: bytes
) -> Response:
    """Take the next bytes; with the last ones, the bundle comes in or is refused."""
    sha256 = _name_of(request)
    length, begun = _number(request, LENGTH, LARGEST_SEALED), _number(request, OFFSET, LARGEST_SEALED)
    here, answer = uploads.here(caller.device, sha256)
    if answer and begun == here == length and not content:
        return _result(request.state.words, answer)
    try:
        if answer or length == 0:
            raise WrongOffsetError(here)
        sealed = uploads.append(caller.device, sha256, begun, length, content)
    except WrongOffsetError as error:
        return Response(status_code=HTTPStatus.CONFLICT, headers={OFFSET: str(error.offset)})
    except NoRoomError as error:
        raise TurnedAwayError(Status.FULL, "wire-room", FULL_WAIT_S) from error
    if sealed is None:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={OFFSET: str(begun + len(content))})
    answer = _take_in(site, database, sealed, f"{sha256[:16]}.age")
    uploads.finish(caller.device, sha256, length, answer)
    return _result(request.state.words, answer)


def _take_in(site: Site, database: Database, sealed: bytes, shown: str) -> Answer:
    try:
        outcome = receive(site.place, database, sealed, shown, site.stamp())
    except RefusedError as error:
        refuse(database, Outcome(shown, "refused", error=error), site.stamp())
        return Answer("refused", error.key)
    return Answer(outcome.state)


def _result(words: Words, answer: Answer) -> JSONResponse:
    return JSONResponse({"state": answer.state, "reason": answer.reason, "say": _why(words, answer.reason)})


def acks(site: Site, database: Database, caller: Caller, request: Request, content: bytes) -> Response:
    """Name the acknowledgements of the others of a school, for a laptop that carries them, and say which changed."""
    others = [(device, rest) for device, *rest in _of_school(database, caller, _SAYING) if device != caller.device]
    return JSONResponse({site.place.ack_name(device): _mark(rest) for device, rest in others})


def _mark(saying: list[object]) -> str:
    """Return another text whenever an acknowledgement says something else; sealed, it is never the same twice."""
    return hashlib.sha256("\n".join(map(str, saying)).encode()).hexdigest()[:16]


def ack(site: Site, database: Database, caller: Caller, request: Request, content: bytes) -> Response:
    """Give the acknowledgement of a device of the same school, by its own name or by that of the file."""
    if not DEVICE_NAME.fullmatch(name := request.path_params["name"]):
        raise TurnedAwayError(HTTPStatus.BAD_REQUEST, "wire-name")
    for device, recipient in _of_school(database, caller):
        if name in (device, site.place.ack_name(device)):
            sealed = ack_of(site.place, database, device, recipient)
            return Response(sealed, media_type="application/octet-stream")
    return Response(status_code=HTTPStatus.NO_CONTENT)


_SAYING = (
    ", (SELECT count(*) FROM bundles WHERE device = devices.id), (SELECT max(at) FROM bundles WHERE device = devices.id)"
    ", (SELECT cloned FROM streams WHERE streams.name = devices.stream)"
)
"""What an acknowledgement depends on, besides whom it is for."""


def _of_school(database: Database, caller: Caller, more: str = "") -> list[tuple[Any, ...]]:
    """Return device, recipient (and `more`) of those heard from last."""
    sql = (
        f"SELECT devices.id, recipient{more} FROM devices JOIN schools ON school = schools.id "
        "WHERE code = ? AND revoked = '' ORDER BY heard DESC, devices.id LIMIT ?"
    )
    return database.rows(sql, [caller.school, MOST_ACKS])
