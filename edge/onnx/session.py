"""Open an ONNX network on the processor, the same way for encoders and decoders."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from edge.lean import version_of

QUIET = 4
"""What it complains of arrives as an exception too."""


def open_session(network: Path | bytes, threads: int) -> Any:
    """Return onnxruntime's session of a file or of its bytes; raises what `refusals` names.

    Threads wait without spinning: on two cores spinning takes the time that the other program needs.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = QUIET
    given = str(network) if isinstance(network, Path) else network
    session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    session._model_bytes = None  # kept for another provider, which there is not; onnxruntime has its own copy
    return session


def refusals() -> tuple[type[Exception], ...]:
    """Return what onnxruntime raises for a network that it cannot open or run."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    named = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented)
    return (*named, state.RuntimeException, RuntimeError, ValueError, MemoryError)


@cache
def runtime_version() -> str:
    """Return the version of the installed onnxruntime, or nothing."""
    return version_of("onnxruntime", "onnxruntime")
