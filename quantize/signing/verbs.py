"""The verbs `amauta-quantize keys`, `sign` and `renew`: call what was asked for, and tell. Their words lie in `arguments`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.release.anchor import fingerprint
from edge.release.clock import believed, built
from quantize.recipe import RecipeError
from quantize.signing import drafts
from quantize.signing.keys import ROLES, keys_in, load_private, load_public, new_key
from quantize.signing.passphrases import asked, chosen, from_file
from quantize.signing.repository import Repository

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root

    from quantize.signing.sign import Signers


def run(given: argparse.Namespace) -> None:
    """Do what was asked; raise RecipeError or TrustError when it cannot be done."""
    if getattr(given, "years", 1) < 1:
        raise RecipeError("sign-years", years=given.years)
    if given.verb == "sign":
        _sign(given)
    elif given.verb == "renew":
        _renew(given)
    else:
        actions: dict[str, Callable[[argparse.Namespace], None]] = {
            "new": _new,
            "ceremony": _ceremony,
            "sign": _sign_draft,
            "show": _show,
        }
        actions.get(given.action, _change)(given)


def _now() -> datetime:
    return believed(datetime.now(UTC), built()).replace(microsecond=0)


def _new(given: argparse.Namespace) -> None:
    passphrase = from_file(given.passphrase_file) or chosen(given.name)
    key = new_key(given.role, given.name, given.out, passphrase)
    _tell(f"{key.name}: a key for {key.role}, {key.keyid[:8]}. Copy {key.name}.key to a second place now.")
    _print(str(given.out / f"{key.name}.pub"))


def _ceremony(given: argparse.Namespace) -> None:
    repo = Repository(given.repo)
    if repo.newest_root():
        raise RecipeError("root-exists", path=given.repo)
    keys = {role: [load_public(path, role) for path in getattr(given, role)] for role in ROLES}
    root = drafts.first_root(keys, given.threshold, _now(), given.years)
    _drafted(repo, drafts.save_draft(repo, root, again=given.again))


def _change(given: argparse.Namespace) -> None:
    repo = Repository(given.repo)
    role = given.role
    if given.action == "rotate":
        added, removed = given.add, given.remove
    else:
        added, removed = ([given.new] if given.action == "replace" else []), [given.old]
    add = [load_public(path, role) for path in added]
    old, version = repo.root().signed, None
    if given.on_draft:
        if (path := drafts.draft_path(repo)) is None:
            raise RecipeError("draft-none", path=given.repo)
        old = drafts.load_draft(path).signed
        version = old.version
    root = drafts.changed_root(
        old, _now(), given.years, role=role, add=add, remove=removed, threshold=given.threshold, version=version
    )
    _drafted(repo, drafts.save_draft(repo, root, again=given.again or given.on_draft))


def _drafted(repo: Repository, path: Path) -> None:
    draft = drafts.load_draft(path)
    _describe(draft)
    _tell(
        f"Nobody signed it yet: {drafts.sitting(repo, path).missing} signature(s) needed. Next: keys sign {repo.folder} --key FILE"
    )
    _print(str(path))


def _sign_draft(given: argparse.Namespace) -> None:
    repo = Repository(given.place) if given.place.is_dir() else None
    path = drafts.draft_path(repo) if repo else given.place
    if path is None:
        raise RecipeError("draft-none", path=given.place)
    _describe(drafts.load_draft(path))
    previous = repo.root().signed if repo and repo.newest_root() else None
    if given.key:
        key = load_private(given.key)
        drafts.sign_draft(path, key.open(from_file(given.passphrase_file) or asked(key)), previous)
        _tell(f"Signed by {key.public.name}.")
    if repo is None:
        _tell("Bring the draft back to the repository's folder signing/ and run there: keys sign REPO")
        return
    state = drafts.sitting(repo, path)
    _tell(f"Signatures: {', '.join(state.signed) or 'none'}; {state.missing} more needed.")
    root = drafts.finished(repo)
    if root is None:
        return
    if drafts.needs_renewal(repo, root.signed):
        _tell(f"The root is complete and changes the keys of releases. Next: renew {repo.folder} --keys DIR")
        return
    drafts.promote(repo, root)
    _tell(f"Version {root.signed.version} is the root now.")


def _sign(given: argparse.Namespace) -> None:
    from quantize.signing.gather import gather
    from quantize.signing.sign import sign

    if given.dry_run:
        for file in gather(given.folder, given.manifest):
            _print(f"{file.kind:13}{file.id:24}{file.source.stat().st_size:>12}  {file.path}")
        return
    repo = Repository(given.repo)
    keys, version = _opened(given), given.version
    done = sign(given.folder, repo, keys, _now(), given.years, version, _progress, manifest=given.manifest)
    size = sum(file.size for file in done.contents.files)
    number = done.contents.number
    if given.json:
        _print(json.dumps({"number": number, "version": done.contents.version, "bytes": size, "changed": done.changed}))
        return
    _tell(
        f"Release {number}: {len(done.contents.files)} files, {size / 1e6:.1f} MB."
        if done.changed
        else "Nothing changed."
    )
    _print(str(number))


def _renew(given: argparse.Namespace) -> None:
    from quantize.signing.sign import renew

    contents = renew(Repository(given.repo), _opened(given), _now(), given.years)
    number = contents.number if contents else 0
    _tell(f"Release {number} is signed again." if number else "There is no release yet; the root counts.")
    _print(json.dumps({"number": number}) if given.json else str(number))


def _opened(given: argparse.Namespace) -> Signers:
    files = keys_in(given.keys)
    if not files:
        raise RecipeError("key-none", path=", ".join(map(str, given.keys)))
    passphrase, wanted = from_file(given.passphrase_file), _of_releases(given.repo)
    usable = [file for file in files if file.public.keyid in wanted]
    return {file.public.keyid: file.open(passphrase or asked(file)) for file in usable}


def _of_releases(folder: Path) -> set[str]:
    """Return the ids of keys that sign releases, now or under a root that waits; all others stay closed."""
    repo = Repository(folder)
    path = drafts.draft_path(repo)
    roots = [repo.root()] if repo.newest_root() else []
    roots += [drafts.load_draft(path)] if path else []
    return {keyid for root in roots for role in ROLES[1:] for keyid in root.signed.roles[role].keyids}


def _show(given: argparse.Namespace) -> None:
    repo = Repository(given.repo)
    root, current = repo.root(), repo.current()
    now = _now()
    ends = {"root": root.signed.expires}
    if current:
        metadata: dict[str, Metadata[Any]] = {
            "targets": current.targets,
            "snapshot": current.snapshot,
            "timestamp": current.timestamp,
        }
        ends |= {role: signed.signed.expires for role, signed in metadata.items()}
    path = drafts.draft_path(repo)
    state = drafts.sitting(repo, path) if path else None
    if given.json:
        facts = {
            "fingerprint": fingerprint(root.signed_bytes),
            "root": root.signed.version,
            "release": current.contents.number if current else 0,
            "expires": {role: end.date().isoformat() for role, end in ends.items()},
            "draft": state and {"version": state.version, "signed": list(state.signed), "missing": state.missing},
        }
        _print(json.dumps(facts))
        return
    _describe(root, _print)
    for role, end in ends.items():
        _print(f"  {role:<10} counts until {end.date()}, {(end - now).days} days more")
    if state:
        _print(
            f"Draft of version {state.version}: signed by {', '.join(state.signed) or 'nobody'}; {state.missing} missing."
        )


def _describe(root: Metadata[Root], say: Callable[[str], None] | None = None) -> None:
    """Say what a root would mean, before anybody signs it."""
    say = say or _tell
    say(f"Root {root.signed.version}, fingerprint {fingerprint(root.signed_bytes)}, until {root.signed.expires.date()}")
    for role in ROLES:
        entry = root.signed.roles[role]
        names = ", ".join(drafts.name_of(root.signed, keyid) for keyid in entry.keyids)
        say(f"  {role:<10} {entry.threshold} of {len(entry.keyids)}: {names}")


def _progress(count: int, total: int, path: str) -> None:
    """Show on a terminal which file comes next; elsewhere say now and then how far it is."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{count}/{total}  {path[-60:]}" + ("\r\033[K" if count == total else ""))
        sys.stderr.flush()
    elif count == total or count % 100 == 1:
        _tell(f"{count}/{total}  {path}")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
