"""`amauta-kit verify`: read a disk or a mounted data stick again and compare."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from devkit.disks.attached import attached_disks
from devkit.errors import KitError
from devkit.write.device import FileDevice, disk_trouble
from devkit.write.receipt import read_receipt
from devkit.write.verify import Finding, receipt_for, verify_disk, verify_folder
from edge.command_line import ExitCode
from edge.settings import Settings
from edge.words import Words

MOST_SHOWN = 20


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `verify`."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", help=words.say("verify.help.folder"))
    parser.add_argument("--disk", metavar="DISK", help=words.say("verify.help.disk"))
    parser.add_argument("--receipt", metavar="FILE", type=Path, help=words.say("verify.help.receipt"))
    parser.add_argument(
        "--receipts", metavar="DIR", type=Path, default=Path("receipts"), help=words.say("write.help.receipts")
    )
    parser.add_argument("--json", action="store_true", help=words.say("kit.help-json"))


def run(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Compare, and say what differs."""
    if (args.folder is None) == (args.disk is None):
        raise KitError("verify-what")
    bar = _Bar(words)
    what = str(args.folder or args.disk)
    found = _disk(args, bar) if args.folder is None else verify_folder(args.folder, bar)
    bar.end()
    if args.json:
        rows = [{"where": finding.where, "what": finding.what} for finding in found]
        sys.stdout.write(f"{json.dumps({'verified': not found, 'what': what, 'wrong': rows}, ensure_ascii=False)}\n")
    else:
        _tell(found, what, words)
    return ExitCode.REFUSED if found else ExitCode.DONE


def _disk(args: argparse.Namespace, bar: _Bar) -> list[Finding]:
    disk = next((disk for disk in attached_disks() if disk.path == args.disk), None)
    if disk is None:
        raise KitError("verify-no-disk", disk=args.disk[:80])
    device = FileDevice(disk.path, writing=False)
    try:
        receipt = read_receipt(args.receipt) if args.receipt else receipt_for(args.receipts, disk.serial, device)
        if receipt.serial != disk.serial:
            raise KitError("verify-other", disk=disk.path, serial=disk.serial or "-", receipt=receipt.serial or "-")
        return verify_disk(device, receipt, bar)
    except OSError as error:
        raise disk_trouble(error, disk.path, 0) from error
    finally:
        device.close()


def _tell(found: list[Finding], what: str, words: Words) -> None:
    for finding in found[:MOST_SHOWN]:
        sys.stdout.write(f"{words.say(f'verify.{finding.what}', where=finding.where)}\n")
    if len(found) > MOST_SHOWN:
        sys.stdout.write(f"{words.say('verify.more', count=len(found) - MOST_SHOWN)}\n")
    if found:
        sys.stderr.write(f"{words.say('verify.bad', what=what, count=len(found))}\n")
    else:
        sys.stdout.write(f"{words.say('verify.good', what=what)}\n")


class _Bar:
    """How far the reading is, on a terminal only."""

    def __init__(self, words: Words) -> None:
        self._words, self._last = words, -1

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // max(total, 1)
        if percent != self._last and sys.stderr.isatty():
            self._last = percent
            sys.stderr.write(f"\r{self._words.say('verify.bar', percent=percent)}\x1b[K")
            sys.stderr.flush()

    def end(self) -> None:
        if self._last >= 0:
            sys.stderr.write("\n")
