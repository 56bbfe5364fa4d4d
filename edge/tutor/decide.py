"""Is what was found good enough to be shown as the answer?

Pure. The probabilities come from judges that were fitted on questions written for that
purpose (quantize/search), never on the questions of the tests; the thresholds ship with them.
"""

from __future__ import annotations

from edge.library.search import Passage

PASSAGES_READ = 6
"""How many passages the reader is given."""

SURE = 0.75
"""A bank answer this likely is shown at once, without asking the reader."""

ASKED_FIRST = 0.2
"""From this probability on, a guideline or what patients are taught is shown. The school's last judge compares with what
pupils ask, which says nothing about them; chosen on tests/data/guideline_questions.toml and patient_questions_dev.toml."""

LEADING = 0.5
"""From this confidence on, the reader's sentence leads and its passage follows; below, the passage speaks for itself."""


def read_features(passage: Passage, confidence: float) -> tuple[float, ...]:
    """Return what the judge `read` weighs: the passage's features and the reader's confidence in a sentence."""
    return (*passage.features, confidence)
