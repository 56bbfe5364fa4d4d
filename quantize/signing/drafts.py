"""A root that is being signed: made by one person, signed by several, one key at a time, perhaps on several machines.

The draft waits in `REPO/signing`; it becomes the repository's newest root once enough keys of the old root
and of itself have signed. A root that exchanges the keys of releases waits for `renew`, which signs the
release with the new ones: otherwise devices would refuse it meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.files import write_atomic
from edge.release import layout
from edge.release.anchor import NAME_FIELD
from quantize.recipe import RecipeError
from quantize.signing.keys import ROLES, PublicKey
from quantize.signing.repository import Repository, disk_words

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner
    from tuf.api.metadata import Metadata, Root

DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Sitting:
    """How far a draft is."""

    version: int
    signed: tuple[str, ...]
    """The names of the keys whose signatures are right."""

    missing: int
    """How many signatures it still needs at least."""


def first_root(keys: Mapping[str, Sequence[PublicKey]], threshold: int, at: datetime, years: int) -> Root:
    """Return the first root: who may sign what."""
    from tuf.api.metadata import Role, Root

    root = Root(1, None, expiry(at, years), {}, {role: Role([], 1) for role in ROLES}, consistent_snapshot=True)
    for role in ROLES:
        for key in keys[role]:
            root.add_key(key.for_root(), role)
    root.roles["root"].threshold = threshold
    return _checked(root)


def changed_root(
    old: Root,
    at: datetime,
    years: int,
    *,
    role: str = "root",
    add: Sequence[PublicKey] = (),
    remove: Sequence[str] = (),
    threshold: int | None = None,
    version: int | None = None,
) -> Root:
    """Return the next root: keys of `role` added and removed, another threshold, or only a new expiry date.

    `version` is given when `old` is itself a draft.
    """
    root = deepcopy(old)
    root.version, root.expires = version or old.version + 1, expiry(at, years)
    for name in remove:
        root.revoke_key(keyid_of(root, role, name), role)
    for key in add:
        root.add_key(key.for_root(), role)
    if threshold is not None:
        root.roles[role].threshold = threshold
    return _checked(root)


def expiry(at: datetime, years: int) -> datetime:
    """Return when what is signed now ends to count."""
    return (at + timedelta(days=DAYS_A_YEAR * years)).replace(microsecond=0)


def keyid_of(root: Root, role: str, name: str) -> str:
    """Return the id of the key called `name`, or beginning so; raise RecipeError when it is not exactly one."""
    ids = root.roles[role].keyids
    found = [
        keyid for keyid in ids if name in (name_of(root, keyid), keyid) or (len(name) > 7 and keyid.startswith(name))
    ]
    if len(found) != 1:
        names = ", ".join(name_of(root, keyid) for keyid in ids)
        raise RecipeError("key-unknown", name=name[:40], role=role, names=names)
    return found[0]


def name_of(root: Root, keyid: str) -> str:
    """Return what people call a key."""
    return str(root.keys[keyid].unrecognized_fields.get(NAME_FIELD, keyid[:8]))


def _checked(root: Root) -> Root:
    """Refuse what would lock everybody out, or make one stolen key enough for everything."""
    for role, entry in root.roles.items():
        if not 1 <= entry.threshold <= len(entry.keyids):
            raise RecipeError("root-threshold", role=role, threshold=entry.threshold, count=len(entry.keyids))
    for role in ROLES[1:]:
        if shared := set(root.roles[role].keyids) & set(root.roles["root"].keyids):
            raise RecipeError("root-shared", role=role, name=name_of(root, shared.pop()))
    names = [name_of(root, keyid) for keyid in root.keys]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise RecipeError("root-twice", name=twice)
    return root


def draft_path(repo: Repository) -> Path | None:
    """Return the draft that waits in a repository, or None; one that became a root meanwhile is removed."""
    newest = repo.newest_root()
    waiting = repo.work / f"{newest + 1}.root.json"
    for path in repo.work.glob("*.root.json"):
        if path != waiting:
            path.unlink(missing_ok=True)
    return waiting if waiting.is_file() else None


def save_draft(repo: Repository, root: Root, *, again: bool) -> Path:
    """Write a draft nobody signed yet; raise RecipeError when another one waits and `again` does not say so."""
    from tuf.api.metadata import Metadata

    if not again and (waiting := draft_path(repo)):
        raise RecipeError("draft-waits", path=waiting)
    path = repo.work / f"{root.version}.root.json"
    _write(path, Metadata(root))
    return path


def load_draft(path: Path) -> Metadata[Root]:
    """Read a draft; raise RecipeError when it is none."""
    from tuf.api.exceptions import RepositoryError
    from tuf.api.metadata import Metadata, Root

    try:
        if path.stat().st_size > layout.LIMITS["root"]:
            raise RecipeError("sign-broken", path=path)
        found = Metadata[Root].from_bytes(path.read_bytes())
    except OSError as error:
        raise RecipeError("key-unreadable", path=path, reason=error.strerror or str(error)) from error
    except RepositoryError as error:
        raise RecipeError("sign-broken", path=path) from error
    if found.signed.type != "root":
        raise RecipeError("sign-broken", path=path)
    return found


def sign_draft(path: Path, signer: CryptoSigner, previous: Root | None) -> None:
    """Add one signature; raise RecipeError when the key is of neither root."""
    draft = load_draft(path)
    known = set(draft.signed.roles["root"].keyids) | set(previous.roles["root"].keyids if previous else ())
    if signer.public_key.keyid not in known:
        names = ", ".join(name_of(draft.signed, keyid) for keyid in draft.signed.roles["root"].keyids)
        raise RecipeError("key-foreign", name=str(signer.public_key.unrecognized_fields[NAME_FIELD]), names=names)
    draft.sign(signer, append=True)
    _write(path, draft)


def sitting(repo: Repository, path: Path) -> Sitting:
    """Count the signatures of a draft."""
    draft = load_draft(path)
    previous = repo.root().signed if repo.newest_root() else None
    result = draft.signed.get_root_verification_result(previous, draft.signed_bytes, draft.signatures)
    names = sorted(str(key.unrecognized_fields.get(NAME_FIELD, keyid[:8])) for keyid, key in result.signed.items())
    return Sitting(draft.signed.version, tuple(names), max(result.first.missing, result.second.missing))


def finished(repo: Repository) -> Metadata[Root] | None:
    """Return the draft that has all its signatures, or None."""
    path = draft_path(repo)
    return load_draft(path) if path and sitting(repo, path).missing == 0 else None


def needs_renewal(repo: Repository, root: Root) -> bool:
    """Tell whether the release that devices see would be refused under this root."""
    current = repo.current()
    if current is None:
        return False
    signed: dict[str, Metadata[Any]] = {
        "targets": current.targets,
        "snapshot": current.snapshot,
        "timestamp": current.timestamp,
    }
    return not all(root.get_verification_result(role, m.signed_bytes, m.signatures) for role, m in signed.items())


def promote(repo: Repository, root: Metadata[Root]) -> None:
    """Make a finished draft the newest root."""
    path = repo.work / f"{root.signed.version}.root.json"
    repo.put(layout.metadata("root", root.signed.version), root.to_bytes())
    path.unlink(missing_ok=True)


def _write(path: Path, draft: Metadata[Root]) -> None:
    with disk_words(path):
        write_atomic(path, draft.to_bytes())
        path.chmod(0o644)
