"""The one way to write the catalogue, so that equal content is equal bytes: for hashes, signatures and reviews. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from edge.release.manifest import parse


def canonical(found: Mapping[str, Any]) -> bytes:
    """Return the catalogue's bytes: sorted names, one space of indent, UTF-8, one newline at the end.

    The order of the artifacts is kept: it is what people see. Raises ManifestError for
    a catalogue that devices would refuse.
    """
    content = (json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
    parse(content)
    return content


def with_rows(found: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the catalogue with these rows, by id, in place of the old ones or at the end of the embedded ones.

    The release number grows by one when an artifact came or changed its bytes; words about it
    (licence, languages, memory) may change within a release.
    """
    old = {row["id"]: row for row in found["artifacts"]}
    fresh = [name for name, row in rows.items() if name not in old or old[name]["sha256"] != row["sha256"]]
    kept = [dict(rows.get(row["id"], row)) for row in found["artifacts"]]
    new = [dict(row) for name, row in rows.items() if name not in old]
    place = sum(1 for row in kept if row["embedded"])
    artifacts = [*kept[:place], *new, *kept[place:]]
    return {**found, "release": found["release"] + bool(fresh), "artifacts": artifacts}
