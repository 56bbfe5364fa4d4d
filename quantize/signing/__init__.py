"""Sign releases: keys and who holds them, the root that names them, a folder of files made into a release repository.

    keys.py        one Ed25519 key, in a file that only a passphrase opens
    drafts.py      a root that is being signed, one key at a time, perhaps on several machines
    repository.py  the release repository: what is there, and how something new comes in
    gather.py      a folder of files -> what a release holds
    parts.py       those files -> parts and deltas in the repository
    sign.py        all of it, in the order that keeps the old release valid until the new one is whole
    verbs.py       `amauta-quantize keys`, `sign`, `renew`

Devices read the result with `edge.release.trust`; docs/release-keys.md says who does what, and when.
"""
