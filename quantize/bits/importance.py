"""Measure what every tensor's type would cost: the importance matrix and Fisher-projected KLD.

The change that rounding a matrix W to a type makes in what the model says is, to
second order, KLD = 1/2 dW' F dW with the Fisher information F. With words y drawn
from the model itself, F is the mean of g g', g the gradient of log p(y): so one
backward pass for each text and one product <g, dW> for each tensor and type are
enough, where measuring would take a pass for each of them over all texts.

A run that is cut off goes on: text windows already counted are not counted again.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge.files import sha256_of
from quantize.bits.candidates import Candidates, mark_of, usable, weighted_error
from quantize.bits.ledger import Clock, resume, save
from quantize.bits.parent import Parent, read_parent
from quantize.bits.settings import ImportanceSettings
from quantize.bits.words import Windows, cut

if TYPE_CHECKING:
    import torch

    from quantize.bits.twins import Pair

BATCH = 8
"""Windows that are read together for the importance matrix."""


def importance(
    folder: Path, gguf: Path, calibration: Path, settings: ImportanceSettings, output: Path, work: Path
) -> None:
    """Write `output` (.npz): imatrix/NAME, error/NAME and fisher/NAME for every matrix, and `facts`."""
    import torch

    from quantize.bits import twins
    from quantize.bits.fisher import fisher

    torch.set_num_threads(settings.threads)
    device = twins.pick_device(settings.device)
    parent = read_parent(gguf)
    parent.refuse_quantized()
    model = twins.load_model(folder, device)
    pairs = twins.pairs_of(model, parent)
    windows = cut(gguf, calibration, settings.window, settings.seed)
    mark = mark_of(sha256_of(gguf), sha256_of(calibration), asdict(settings))
    work = work / mark
    work.mkdir(parents=True, exist_ok=True)
    found = imatrix(model, parent, pairs, windows[: settings.imatrix_windows], work / "imatrix.npz", device)
    candidates = Candidates(parent, usable(found, parent), settings.types, work / "candidates", settings.threads)
    errors = _errors(candidates)
    kept: dict[str, NDArray[Any]] = {f"imatrix/{name}": values for name, values in candidates.imatrix.items()}
    kept |= {f"error/{name}": values for name, values in errors.items()}
    if settings.fisher:
        scores = fisher(model, pairs, candidates, windows[: settings.windows], settings, work, device)
        kept |= {f"fisher/{name}": values for name, values in scores.items()}
    facts = {
        "types": {tensor.name: [kind.name for kind in candidates.kinds_for(tensor)] for tensor in parent.plannable},
        "windows": min(len(windows), settings.windows) if settings.fisher else 0,
        "imatrix_windows": min(len(windows), settings.imatrix_windows),
        "window": settings.window,
        "seed": settings.seed,
        "gguf": sha256_of(gguf),
    }
    save(output, kept | {"facts": np.array(json.dumps(facts, sort_keys=True))})
    shutil.rmtree(work)


def imatrix(
    model: torch.nn.Module, parent: Parent, pairs: list[Pair], windows: Windows, checkpoint: Path, device: str
) -> dict[str, NDArray[np.float32]]:
    """Return for each matrix the mean square of every input channel, over all tokens of the windows."""
    import torch

    names = {id(dict(model.named_parameters())[pair.parameter]): pair.tensor.name for pair in pairs}
    sums, done = resume(checkpoint)

    def listen(name: str) -> Any:
        def hook(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
            squares = given[0].detach().float().square().reshape(-1, given[0].shape[-1]).sum(0, dtype=torch.float64)
            sums[name] = sums.get(name, 0.0) + squares.cpu().numpy()

        return hook

    handles = [
        module.register_forward_pre_hook(listen(names[id(module.weight)]))
        for module in model.modules()
        if isinstance(module, torch.nn.Linear) and id(module.weight) in names
    ]
    clock = Clock("imatrix", len(windows))
    try:
        for at in range(done, len(windows), BATCH):
            part = torch.from_numpy(windows[at : at + BATCH]).to(device)
            with torch.no_grad():
                model(input_ids=part, use_cache=False)
            clock.tick(at + len(part))
            if clock.due():
                save(checkpoint, sums | {"done": np.array(at + len(part))})
    finally:
        for handle in handles:
            handle.remove()
    save(checkpoint, sums | {"done": np.array(len(windows))})
    return {name: (values / windows.size).astype(np.float32) for name, values in sums.items()}


def _errors(candidates: Candidates) -> dict[str, NDArray[np.float64]]:
    """Pack every candidate; return its error weighed by the importance matrix."""
    errors = {}
    clock = Clock("candidates", len(candidates.parent.plannable))
    for number, tensor in enumerate(candidates.parent.plannable, start=1):
        values = candidates.parent.values(tensor)
        weights = candidates.importance(tensor)
        errors[tensor.name] = np.array(
            [weighted_error(candidates.change(tensor, kind, values), weights) for kind in candidates.kinds_for(tensor)]
        )
        clock.tick(number)
    return errors
