"""What the server answers to whoever has no open connection: the page, or that there is nothing here. Pure but for reading the page's files once."""

from __future__ import annotations

import html
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from random import Random

from edge.learning.learner import ID_LETTERS
from edge.words import Words

TOKEN_LETTERS = 6
"""A thousand million names; whoever guesses is stopped after a few."""

FILES = {
    "terminal.js": "text/javascript; charset=utf-8",
    "classroom.js": "text/javascript; charset=utf-8",
    "classroom.css": "text/css; charset=utf-8",
}
LOADING = "loading.js"
"""Stands in the page itself, so that it is there when nothing else came."""

PAGE = "text/html; charset=utf-8"
APP = "app"

MOST_WRONG, WRONG_SECONDS = 20, 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, its content and what that is."""

    status: int
    content: bytes
    kind: str = PAGE
    location: str = ""


def new_token(random: Random) -> str:
    """Return what stands in the address of this hour and no other; capitals, as a QR code holds them best."""
    return "".join(random.choice(ID_LETTERS) for _ in range(TOKEN_LETTERS)).upper()


@dataclass(slots=True)
class Guesses:
    """Who asked for what is not here, and how often."""

    _by_host: dict[str, list[float]] = field(default_factory=dict)

    def wrong(self, host: str, now: float) -> None:
        """Remember one more."""
        self._by_host[host] = [*self._recent(host, now), now][-MOST_WRONG:]

    def too_many(self, host: str, now: float) -> bool:
        """Tell whether this machine has to wait."""
        return len(self._recent(host, now)) >= MOST_WRONG

    def _recent(self, host: str, now: float) -> list[float]:
        return [at for at in self._by_host.get(host, []) if now - at < WRONG_SECONDS]


class Pages:
    """The page in one language, under one token."""

    def __init__(self, words: Words, token: str) -> None:
        self._token = token
        self._absent = f"<!doctype html><meta charset=utf-8><title>Amauta</title><p>{html.escape(words.say('classroom.page.absent'))}"
        said = {
            name: html.escape(words.say(f"classroom.page.{name}"), quote=True)
            for name in ("lost", "missing", "again", "opening", "old", "write", "send", "elsewhere")
        }
        page = _file("index.html").decode().format(lang=words.lang, loading=_file(LOADING).decode(), **said)
        self._files = {"": Answer(200, page.encode(), PAGE)} | {
            name: Answer(200, _file(name), kind) for name, kind in FILES.items()
        }

    def names_app(self, path: str) -> bool:
        """Tell whether this is where a browser connects to its app."""
        return self._inside(path) == APP

    def answer(self, path: str) -> Answer:
        """Return what lies at a path; what does not lie there says nothing of what does."""
        inside = self._inside(path)
        if inside is None and self._inside(f"{path}/") == "":
            return Answer(301, b"", location=f"/{self._token}/")
        found = self._files.get(inside) if inside is not None else None
        return found or Answer(404, self._absent.encode())

    def _inside(self, path: str) -> str | None:
        """Return the rest of a path under the token; a token typed in small letters is the same."""
        token, slash, rest = path.partition("?")[0].removeprefix("/").partition("/")
        return rest if slash and token.upper() == self._token else None


@cache
def _file(name: str) -> bytes:
    # As text: the browser counts the ends of lines as one letter in what it checks by a hash.
    return files("tui.classroom").joinpath("page", name).read_text(encoding="utf-8").encode()


def headers(answer: Answer, host: str) -> dict[str, str]:
    """Return the headers of an answer: nothing may come from elsewhere, and nobody may put the page into another."""
    ours = b64encode(sha256(_file(LOADING)).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'self' 'sha256-{ours}'; style-src 'self'; img-src data:; "
        f"connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    found = {
        "Content-Type": answer.kind,
        "Content-Length": str(len(answer.content)),
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Connection": "close",
    }
    return found | ({"Location": answer.location} if answer.location else {})
