"""What stands before every page: security headers, language, size, the session, and the proof that a form is ours.

Devices have their own way in (`/v1/`), which judges each request by itself; everything else but `/login` needs a
person. What can go wrong in a way that passes (a full disk, a busy database) is said in one sentence.
"""

from __future__ import annotations

import hmac
import re
from http import HTTPStatus
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.errors import EdgeError
from edge.hub.serve import sessions
from edge.hub.serve.people import Person
from edge.hub.serve.render import COOKIE, FORM_COOKIE, Status, language_of
from edge.hub.serve.site import Site
from edge.words import words_for

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
FOREVER = "max-age=31536000"
FORM_FIELD = "form"
_DEVICES = re.compile(r"/v[0-9]+/")
MOST_FORM_BYTES, MOST_FIELDS = 16_384, 20


class Guard:
    """The outermost part of the server."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app, self._site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self._site.secure:
                    headers.setdefault("Strict-Transport-Security", FOREVER)
            await send(message)

        request = Request(scope, receive)
        request.state.words = words_for("edge", language_of(request, self._site))
        try:
            answer = await self._before(request)
            await (answer or self._app)(scope, receive, with_headers)
        except ClientDisconnect:
            return
        except EdgeError as error:
            if begun:
                raise
            said = PlainTextResponse(error.say(request.state.words.lang), HTTPStatus.SERVICE_UNAVAILABLE)
            said.headers["Retry-After"] = "30"
            await said(scope, receive, with_headers)

    async def _before(self, request: Request) -> Response | None:
        """Return the refusal of a request, or None when it may pass."""
        # As it is routed: `request.url` is put together from what the caller says, too.
        path = request.scope["path"]
        if _DEVICES.match(path) and path != "/v1/openapi.json":
            return None
        words = request.state.words
        if request.method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse(words.say("server.method"), HTTPStatus.METHOD_NOT_ALLOWED)
        session = request.cookies.get(COOKIE, "")
        person = await run_in_threadpool(self._person, session) if session else None
        request.state.person = person
        request.state.form_proof = form_proof(self._site, session)
        if person is None and path != "/login" and not path.startswith("/login/"):
            if request.method == "POST":
                return PlainTextResponse(words.say("server.login.first"), HTTPStatus.UNAUTHORIZED)
            asked = f"{path}?{request.url.query}" if request.url.query else path
            return RedirectResponse(f"/login?next={quote(asked, safe='')}", HTTPStatus.SEE_OTHER)
        # Who is in may log in as somebody else: that form is the same for everybody.
        own = session if person and path != "/login" else ""
        return await self._form(request, own) if request.method == "POST" else None

    def _person(self, session: str) -> Person | None:
        with self._site.database() as database:
            return sessions.person_of(database, session, self._site.now())

    async def _form(self, request: Request, session: str) -> Response | None:
        """Read a form into `request.state.form`; refuse one that did not come from a page of ours."""
        words = request.state.words
        content = b""
        async for chunk in request.stream():
            content += chunk
            if len(content) > MOST_FORM_BYTES:
                return PlainTextResponse(words.say("server.form-large"), Status.TOO_LARGE)
        try:
            fields = parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            return PlainTextResponse(words.say("server.form-strange"), HTTPStatus.BAD_REQUEST)
        request.state.form = dict(fields)
        given = session or request.cookies.get(FORM_COOKIE, "")
        proof = form_proof(self._site, session) if session else self._site.proof("form", given)
        from_here = request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        shown = request.state.form.get(FORM_FIELD, "")
        if not given or not from_here or not hmac.compare_digest(proof.encode(), shown.encode("utf-8", "replace")):
            return PlainTextResponse(words.say("server.form-strange"), HTTPStatus.FORBIDDEN)
        return None


def form_proof(site: Site, session: str) -> str:
    """Return what every form of somebody who is logged in carries in its field `form`."""
    return site.proof("session-form", session)
