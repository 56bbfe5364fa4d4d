"""What may be written after `amauta-quantize keys`, `sign` and `renew`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edge import __version__
from quantize.signing.keys import ROLES

ROOT_YEARS, RELEASE_YEARS = 5, 3


def configure(verbs: Any) -> None:
    """Add the verbs to those of `amauta-quantize`."""
    keys = verbs.add_parser("keys", help="make the keys that sign releases, and the root that names them")
    actions = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    _configure_making(actions)
    _configure_changing(actions)
    sign = verbs.add_parser("sign", help="make a folder of files the next signed release of a repository")
    sign.add_argument(
        "folder", metavar="FOLDER", type=Path, help="app/, models/, voices/, packs/, manifest/ as on a device"
    )
    sign.add_argument("repo", metavar="REPO", type=Path, help="the release repository")
    sign.add_argument("--version", default=__version__, help=f"what people call the release (default: {__version__})")
    sign.add_argument(
        "--manifest", metavar="FILE", type=Path, help="the catalogue that travels with it, if not in FOLDER"
    )
    sign.add_argument("--dry-run", action="store_true", help="say what the folder holds, and do nothing")
    renew = verbs.add_parser("renew", help="sign the present release again, for a new expiry date or under a new root")
    renew.add_argument("repo", metavar="REPO", type=Path, help="the release repository")
    for verb in (sign, renew):
        verb.add_argument(
            "--keys", nargs="+", metavar="PATH", type=Path, required=True, help="key files or their folders"
        )
        _passphrase(verb)
        verb.add_argument("--years", type=int, default=RELEASE_YEARS, help=f"how long it counts ({RELEASE_YEARS})")
        verb.add_argument("--json", action="store_true", help="answer in JSON")


def _configure_making(actions: Any) -> None:
    new = actions.add_parser("new", help="make one key")
    new.add_argument("role", choices=ROLES)
    new.add_argument("--name", required=True, help="what to call it: who holds it, or where it lies")
    new.add_argument("--out", required=True, type=Path, metavar="DIR", help="where its two files go")
    _passphrase(new)
    ceremony = actions.add_parser("ceremony", help="write the first root, to be signed")
    ceremony.add_argument("repo", metavar="REPO", type=Path)
    for role in ROLES:
        ceremony.add_argument(f"--{role}", nargs="+", required=True, type=Path, metavar="KEY.pub")
    ceremony.add_argument("--threshold", type=int, required=True, help="how many root keys must sign a root")
    sign = actions.add_parser("sign", help="sign the draft of a root with one key; the last signature makes it count")
    sign.add_argument("place", metavar="REPO|DRAFT", type=Path, help="the repository, or a draft carried elsewhere")
    sign.add_argument("--key", type=Path, metavar="FILE", help="without it, only count the signatures")
    _passphrase(sign)
    show = actions.add_parser("show", help="who may sign, until when, and what waits")
    show.add_argument("repo", metavar="REPO", type=Path)
    show.add_argument("--json", action="store_true", help="answer in JSON")
    _draft_options(ceremony)


def _configure_changing(actions: Any) -> None:
    rotate = actions.add_parser("rotate", help="write the next root: a new expiry date, and other keys or thresholds")
    rotate.add_argument("repo", metavar="REPO", type=Path)
    rotate.add_argument("--role", choices=ROLES, default="root")
    rotate.add_argument("--add", nargs="+", default=[], type=Path, metavar="KEY.pub")
    rotate.add_argument("--remove", nargs="+", default=[], metavar="NAME")
    replace = actions.add_parser("replace", help="write the next root, with a new key for one that was lost or stolen")
    replace.add_argument("repo", metavar="REPO", type=Path)
    replace.add_argument("role", choices=ROLES)
    replace.add_argument("old", metavar="NAME")
    replace.add_argument("new", metavar="KEY.pub", type=Path)
    revoke = actions.add_parser("revoke", help="write the next root without a key")
    revoke.add_argument("repo", metavar="REPO", type=Path)
    revoke.add_argument("role", choices=ROLES)
    revoke.add_argument("old", metavar="NAME")
    for action in (rotate, replace, revoke):
        action.add_argument("--threshold", type=int, help="how many keys of the role must sign from now on")
        _draft_options(action)
        action.add_argument("--on-draft", action="store_true", help="change the draft that waits; its signatures go")


def _draft_options(action: argparse.ArgumentParser) -> None:
    action.add_argument("--years", type=int, default=ROOT_YEARS, help=f"how long the root counts ({ROOT_YEARS})")
    action.add_argument("--again", action="store_true", help="throw away a draft that waits for signatures")


def _passphrase(action: argparse.ArgumentParser) -> None:
    action.add_argument("--passphrase-file", type=Path, metavar="FILE", help="its first line opens the keys; else asks")
