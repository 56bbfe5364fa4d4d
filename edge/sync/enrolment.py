"""What a hub gives to a school so that its devices can hand over: a small file, or the same as text for a QR code.

Pure. Holds secrets: the token that lets a device in, and the secret behind the pseudonyms.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from edge.identity import device_id
from edge.sync.errors import SyncError

FORMAT = 1
LARGEST_BYTES = 1 << 16
KEY_BYTES = SECRET_BYTES = 32
NAME_CHARACTERS = 80
TOKEN_BYTES = 16
TEXT_MARK = "amauta:1:"
SCHOOL_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
DEVICE_NAME = re.compile(r"[0-9a-z]{16}")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Where to hand over, for whom, and with what right."""

    hub: str
    recipient: str
    """The hub's age recipient: who may read."""

    key: bytes
    """The hub's Ed25519 key: who may acknowledge."""

    school: str
    token: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    """Of the school; the first one a device gets stays, so that a learner keeps her pseudonym."""

    url: str = ""
    """Where the hub is reached over the internet; empty when it is not, or when an older hub wrote this."""

    name: str = ""
    """What people call the hub; empty in a QR code, which is short, and when an older hub wrote this."""

    @property
    def shown(self) -> str:
        """Return the hub as a person is told about it."""
        return f"{self.name} ({self.hub})" if self.name else self.hub


def as_bytes(enrolment: Enrolment) -> bytes:
    """Return the content of an enrolment file."""
    facts = {name: v.hex() if isinstance(v, bytes) else v for name, v in asdict(enrolment).items() if v}
    return json.dumps({"format": FORMAT, **facts}, indent=1, sort_keys=True).encode()


def as_text(enrolment: Enrolment) -> str:
    """Return the same as one line, short enough for a QR code on an 80-column screen."""
    packed = base64.urlsafe_b64encode(enrolment.key + enrolment.token + enrolment.secret).decode()
    url = f":{enrolment.url}" if enrolment.url else ""
    return f"{TEXT_MARK}{enrolment.school}:{enrolment.recipient}:{packed}{url}"


def parse(content: bytes) -> Enrolment:
    """Read an enrolment, as file or as text; raise SyncError when it is not one."""
    from edge.sync.seal import recipient_of
    from edge.sync.wire.address import checked_url

    try:
        found = {"url": "", "name": "", **_fields(content.strip())}
        if set(found) != {each.name for each in fields(Enrolment)} or not all(
            isinstance(v, str) for v in found.values()
        ):
            raise ValueError("fields")
        for name, size in (("key", KEY_BYTES), ("token", TOKEN_BYTES), ("secret", SECRET_BYTES)):
            found[name] = bytes.fromhex(found[name])
            if len(found[name]) != size:
                raise ValueError(name)
        if found["hub"] != device_id(found["key"]) or not SCHOOL_CODE.fullmatch(found["school"]):
            raise ValueError("school")
        recipient_of(found["recipient"])
        if len(found["name"]) > NAME_CHARACTERS or not found["name"].isprintable():
            raise ValueError("name")
        if found["url"]:
            found["url"] = checked_url(found["url"])
    except (ValueError, RecursionError) as error:
        raise SyncError("enrolment-broken", reason=str(error)[:80]) from error
    return Enrolment(**found)


def _fields(content: bytes) -> dict[str, Any]:
    """Return what either form says, not checked yet."""
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"> {LARGEST_BYTES} bytes")
    if not content.startswith(TEXT_MARK.encode()):
        found = json.loads(content)
        if not isinstance(found, dict) or found.pop("format", None) != FORMAT:
            raise ValueError("format")
        return found
    school, recipient, packed, *url = content[len(TEXT_MARK) :].decode("ascii").split(":", 3)
    secrets = base64.b64decode(packed, altchars=b"-_", validate=True)
    key, token, secret = secrets[:KEY_BYTES], secrets[KEY_BYTES:-SECRET_BYTES], secrets[-SECRET_BYTES:]
    facts = {"hub": device_id(key), "recipient": recipient, "school": school, "url": "".join(url)}
    return {**facts, "key": key.hex(), "token": token.hex(), "secret": secret.hex()}
