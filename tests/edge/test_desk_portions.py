"""What is read in one round, beside the answers that are being written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.shared.desk import LEAST_PORTION, ROUND_TOKENS, _whole


@given(st.integers(0, 64), st.integers(0, 1000))
def test_a_batch_is_of_whole_blocks_and_always_reads_some_more(writing: int, wished: int) -> None:
    whole = _whole(writing, wished)
    assert whole % ROUND_TOKENS == 0
    assert whole - writing >= LEAST_PORTION
    assert whole <= max(writing + wished, writing + LEAST_PORTION + ROUND_TOKENS - 1)
    assert whole > writing + wished - ROUND_TOKENS, "less than a block of what was wished is left out"
