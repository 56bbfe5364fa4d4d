"""Decide whom to believe: a release from a folder or an address, verified against the keys this device remembers.

TUF (python-tuf) does the deciding, in a folder of its own that is thrown away; what it learnt is then kept
in `HOME/trust`, each file replaced at once. Nothing is parsed before it was verified. Reading folders and
servers belongs to `sources`, keeping to `memory`.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.release import layout
from edge.release.clock import believed, built
from edge.release.contents import SHA256, Contents, ContentsError, parse
from edge.release.fetch import Patience
from edge.release.memory import Memory, embedded_root
from edge.release.sources import Absent, Source, TrustError, source_of

if TYPE_CHECKING:
    from tuf.ngclient import Updater

__all__ = ["Seen", "TrustError", "Trusted", "last_seen", "months_between", "open_release", "open_source"]

PATIENCE = Patience(tries=4)
DAYS_A_MONTH = 30.44
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Trusted:
    """A release that was verified, and the way to its bytes."""

    contents: Contents
    signed: date
    """The day it was signed; staff are shown its age."""

    expires: datetime
    """From then on nobody accepts it any more."""

    source: Source

    def part(self, sha256: str, size: int) -> bytes:
        """Bring a part or a delta, compared with its hash before it is returned; raise TrustError."""
        if not SHA256.fullmatch(sha256):
            raise TrustError("trust-part", where=str(self.source), name=sha256[:12])
        try:
            content = self.source.read(layout.part(sha256), size)
        except Absent as error:
            raise TrustError("trust-part-absent", where=str(self.source), name=sha256[:12]) from error
        if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
            raise TrustError("trust-part", where=str(self.source), name=sha256[:12])
        return content


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest release this device has verified, installed or not."""

    signed: date
    expires: date


def last_seen(memory: Memory) -> Seen | None:
    """Return what is remembered about the newest release; None when there is none, or it is damaged."""
    from tuf.api.exceptions import RepositoryError
    from tuf.api.metadata import Metadata, Targets

    content = memory.read("targets.json")
    if content is None:
        return None
    try:
        found = Metadata[Targets].from_bytes(content).signed
        return Seen(_signed(found.targets[layout.RELEASE].custom), found.expires.date())
    except (RepositoryError, LookupError, TypeError, ValueError):
        return None


def months_between(earlier: date, later: date) -> int:
    """Return an age in months, for people."""
    return max(0, round((later - earlier).days / DAYS_A_MONTH))


def open_release(
    where: Path | str,
    home: Path,
    root: bytes | None = None,
    now: datetime | None = None,
    *,
    patience: Patience = PATIENCE,
) -> Trusted:
    """Verify the release in a folder or at an http(s) address; raise TrustError when it cannot be trusted.

    `root` counts only while `home` remembers no keys of its own; None means the one that came with the
    app. A clock that stands before the day the app was made counts as that day.
    """
    at = believed(now or datetime.now(UTC), built())
    return open_source(source_of(where, patience), Memory(home / "trust"), root or embedded_root(), at)


def open_source(source: Source, memory: Memory, root: bytes | None, at: datetime) -> Trusted:
    """Verify the release of a source at a given time; what was learnt about keys and versions is remembered."""
    from tuf.api.exceptions import ExpiredMetadataError

    known = memory.root()
    anchors = [anchor for anchor in (known, root) if anchor is not None]
    if not anchors:
        raise TrustError("trust-no-keys")
    with _told(source), tempfile.TemporaryDirectory(prefix="amauta-trust-") as name:
        bench = Path(name)
        updater = _updater(source, bench, anchors, at)
        trusted = None
        try:
            memory.lay_out(bench)
            trusted = _verified(updater, bench, source)
        except ExpiredMetadataError as error:
            raise _expired(source, memory, anchors, at) from error
        finally:
            # A new root stays known whatever came after it; a first one only when all was right.
            if trusted is not None or known is not None:
                memory.keep(bench)
    return trusted


def _updater(source: Source, bench: Path, anchors: list[bytes], at: datetime) -> Updater:
    """Start from the first anchor that is whole: what this disk has damaged, the app still has."""
    from tuf.api.exceptions import RepositoryError
    from tuf.ngclient import Updater, UpdaterConfig

    from edge.release.tuf_fetcher import Fetcher

    config = UpdaterConfig(
        root_max_length=layout.LIMITS["root"],
        timestamp_max_length=layout.LIMITS["timestamp"],
        snapshot_max_length=layout.LIMITS["snapshot"],
        targets_max_length=layout.LIMITS["targets"],
    )
    for anchor in anchors:
        try:
            updater = Updater(
                str(bench),
                f"repository:/{layout.METADATA}/",
                str(bench),
                f"repository:/{layout.TARGETS}/",
                fetcher=Fetcher(source),
                config=config,
                bootstrap=anchor,
            )
        except RepositoryError:
            continue
        # python-tuf has no public way to say what time it is; a test notices when this one goes.
        updater._trusted_set.reference_time = at
        return updater
    raise TrustError("trust-root")


def _verified(updater: Updater, bench: Path, source: Source) -> Trusted:
    updater.refresh()
    info = updater.get_targetinfo(layout.RELEASE)
    if info is None or info.length > layout.LIMITS[layout.RELEASE]:
        raise TrustError("trust-wrong", where=str(source), reason=layout.RELEASE)
    path = updater.download_target(info, str(bench / "contents"))
    try:
        return Trusted(parse(Path(path).read_bytes()), _signed(info.custom), _expires(bench), source)
    except ContentsError as error:
        raise TrustError(error.key, **error.values) from error
    except (LookupError, TypeError, ValueError) as error:
        raise TrustError("trust-wrong", where=str(source), reason="signed") from error


def _signed(custom: Any) -> date:
    """Return the day of signing; raises LookupError, TypeError or ValueError when it is not said."""
    return date.fromisoformat(custom["signed"])


def _expires(bench: Path) -> datetime:
    """Return when the first of the four signatures ends."""
    from tuf.api.metadata import Metadata

    roles = ("root", "timestamp", "snapshot", "targets")
    return min(Metadata.from_file(str(bench / f"{role}.json")).signed.expires for role in roles)


def _expired(source: Source, memory: Memory, anchors: list[bytes], at: datetime) -> TrustError:
    """Say how old the release is: it is verified once more as of long ago, for these words only."""
    with tempfile.TemporaryDirectory(prefix="amauta-trust-") as name:
        bench = Path(name)
        updater = _updater(source, bench, anchors, LONG_AGO)
        memory.lay_out(bench)
        old = _verified(updater, bench, source)
    return TrustError(
        "trust-expired",
        number=old.contents.number,
        version=old.contents.version,
        signed=old.signed.isoformat(),
        months=months_between(old.signed, at.date()),
        expires=old.expires.date().isoformat(),
        today=at.date().isoformat(),
    )


@contextmanager
def _told(source: Source) -> Iterator[None]:
    """Turn what python-tuf raises into words."""
    from tuf.api import exceptions as tuf

    where = str(source)
    try:
        yield
    except tuf.UnsignedMetadataError as error:
        raise TrustError("trust-signature", where=where) from error
    except tuf.BadVersionNumberError as error:
        raise TrustError("trust-older", where=where) from error
    except (tuf.LengthOrHashMismatchError, tuf.DownloadLengthMismatchError) as error:
        raise TrustError("trust-damaged", where=where) from error
    except tuf.RepositoryError as error:
        raise TrustError("trust-wrong", where=where, reason=str(error)[:120]) from error
    except tuf.DownloadError as error:
        raise TrustError("trust-absent", where=where) from error
    except OSError as error:
        raise TrustError("trust-disk", reason=error.strerror or str(error)) from error
