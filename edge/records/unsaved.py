"""Answers that belong to nobody yet, because the visit was not saved: sealed like all else, each under a key of its own.

Thrown away, the key goes with them. What nobody takes up goes after `LONGEST_USE_SECONDS` in which the app was used: the
clocks of old laptops stand or jump, and a cupboard is no reason to forget. That count alone is not sealed.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from edge.records import seal
from edge.records.file import page_at
from edge.records.vault import Vault
from edge.records.visit import encode

LONGEST_USE_SECONDS = 24 * 3600.0

Facts = dict[str, Any]


def keep(vault: Vault, name: str, facts: Facts) -> str:
    """Seal answers in place of those under `name`; nothing: under a new name, which is returned."""
    key, name = vault.key(), name or secrets.token_hex(8)
    with vault.writing() as database:
        own = vault.patient_key(key, name, make=True) or b""
        sealed = seal.seal(own, encode(facts), page_at(vault.device, name))
        database.execute("INSERT OR REPLACE INTO pages VALUES (?, ?)", (name, sealed))
        database.execute("INSERT OR REPLACE INTO unsaved VALUES (?, 0)", (name,))
    return name


def waiting(vault: Vault) -> list[str]:
    """Return the names of all there are; they say nothing, and need no passphrase."""
    with vault.writing() as database:
        return [name for (name,) in database.execute("SELECT name FROM unsaved ORDER BY name").fetchall()]


def read(vault: Vault, name: str) -> Facts:
    """Return what was sealed under a name; nothing where it is gone, or does not open."""
    key = vault.key()
    with vault.writing() as database:
        row = database.execute("SELECT sealed FROM pages WHERE patient = ?", (name,)).fetchone()
        own = vault.patient_key(key, name)
    content = seal.unseal(own, row[0], page_at(vault.device, name)) if row and own else None
    found: Facts = json.loads(content) if content else {}
    return found


def forget(vault: Vault, name: str) -> None:
    """Destroy answers and their key; needs no passphrase. Then `shrink`."""
    with vault.writing() as database:
        database.execute("DELETE FROM pages WHERE patient = ?", (name,))
        database.execute("DELETE FROM keys WHERE patient = ?", (name,))
        database.execute("DELETE FROM unsaved WHERE name = ?", (name,))


def count_use(vault: Vault, seconds: float) -> None:
    """Count how long the app was used since the last time, and destroy what nobody took up for too long."""
    with vault.writing() as database:
        database.execute("UPDATE unsaved SET seconds = seconds + ?", (max(0.0, seconds),))
        old = database.execute("SELECT name FROM unsaved WHERE seconds > ?", (LONGEST_USE_SECONDS,)).fetchall()
        for (name,) in old:
            forget(vault, name)
    if old:
        vault.shrink()
