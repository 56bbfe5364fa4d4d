"""Cut a trained Llama-like network down: whole layers, feed-forward neurons, groups of heads, channels.

What goes is what the calibration text misses least. Layers: by the loss without them, one after another ("skip"), or by
how little they turn what flows through ("cosine": ShortGPT, Men et al. 2024, 2403.03853). Widths: by the size of their
activations (Minitron: Muralidharan et al. 2024, 2407.14679).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of a network."""

    layers: int
    hidden: int
    heads: int
    key_heads: int
    feed_forward: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What stays; every list is in its old order."""

    layers: tuple[int, ...]
    channels: tuple[int, ...]
    key_heads: tuple[tuple[int, ...], ...]
    """The groups of heads of each kept layer, by the number of their key head."""

    neurons: tuple[tuple[int, ...], ...]
    """The feed-forward neurons of each kept layer."""


def measure(model: Any, windows: Tensor, wanted: Sizes, importance: str) -> Plan:
    """Decide what of `model` stays, from windows [n, context + 1] of text."""
    model = model.eval()
    with torch.no_grad():
        layers = keep_layers(model, windows, wanted.layers, importance)
        found = _activations(model, windows[:, :-1], layers)
    return Plan(
        layers=layers,
        channels=_strongest(found.channels, wanted.hidden),
        key_heads=tuple(_strongest(row, wanted.key_heads) for row in found.key_heads),
        neurons=tuple(_strongest(row, wanted.feed_forward) for row in found.neurons),
    )


def keep_layers(model: Any, windows: Tensor, count: int, importance: str) -> tuple[int, ...]:
    """Return the numbers of the `count` layers that stay."""
    kept = tuple(range(len(model.model.layers)))
    if importance == "cosine":
        turned = _turned(model, windows[:, :-1])
        return _strongest(turned, count)
    while len(kept) > count:
        losses = {layer: _loss_with(model, windows, [k for k in kept if k != layer]) for layer in kept}
        least = min(losses, key=lambda layer: losses[layer])
        kept = tuple(layer for layer in kept if layer != least)
    return kept


def prune_folder(model: Any, plan: Plan, output: Path) -> None:
    """Write what `plan` keeps of `model` as a Hugging Face folder; the tokenizer is not this module's matter."""
    from transformers import AutoModelForCausalLM

    config = model.config
    group = config.num_attention_heads // config.num_key_value_heads
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    small = type(config)(**config.to_dict())
    small.head_dim = head
    small.num_hidden_layers = len(plan.layers)
    small.hidden_size = len(plan.channels)
    small.num_key_value_heads = len(plan.key_heads[0])
    small.num_attention_heads = len(plan.key_heads[0]) * group
    small.intermediate_size = len(plan.neurons[0])
    if getattr(config, "layer_types", None):
        small.layer_types = [config.layer_types[layer] for layer in plan.layers]
    twin = AutoModelForCausalLM.from_config(small).float()
    twin.load_state_dict(cut(model.state_dict(), plan, group, head), strict=False)
    twin.tie_weights()
    twin.save_pretrained(output, safe_serialization=True)


def cut(weights: dict[str, Tensor], plan: Plan, group: int, head: int) -> dict[str, Tensor]:
    """Return the weights that `plan` keeps; `group` heads share a key head, each `head` numbers wide."""
    channels = torch.tensor(plan.channels)
    made: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if ".layers." not in name:
            made[name] = weight[..., channels]
            continue
        _, _, layer, part = name.split(".", 3)
        if int(layer) in plan.layers:
            at = plan.layers.index(int(layer))
            picks = _Picks(channels, plan.key_heads[at], plan.neurons[at], group, head)
            made[f"model.layers.{at}.{part}"] = picks.apply(part, weight)
    return made


@dataclass(frozen=True, slots=True)
class _Picks:
    """The numbers kept in one layer."""

    channels: Tensor
    key_heads: Sequence[int]
    neurons: Sequence[int]
    group: int
    head: int

    def apply(self, part: str, weight: Tensor) -> Tensor:
        """Return what is kept of one weight or bias of the layer."""
        keys = _spread(self.key_heads, self.head)
        queries = _spread([key * self.group + n for key in self.key_heads for n in range(self.group)], self.head)
        neurons = torch.tensor(self.neurons)
        if part.startswith("self_attn.q_proj"):
            return self._rows(weight, queries)
        if part.startswith(("self_attn.k_proj", "self_attn.v_proj")):
            return self._rows(weight, keys)
        if part.startswith(("mlp.gate_proj", "mlp.up_proj")):
            return self._rows(weight, neurons)
        if part.startswith(("self_attn.o_proj", "mlp.down_proj")):
            columns = queries if "o_proj" in part else neurons
            return weight[self.channels] if weight.dim() == 1 else weight[self.channels][:, columns]
        # Norms of the queries and keys are as wide as a head, which keeps its width; all others as the channels.
        return weight if part.startswith("self_attn.") else weight[self.channels]

    def _rows(self, weight: Tensor, rows: Tensor) -> Tensor:
        return weight[rows] if weight.dim() == 1 else weight[rows][:, self.channels]


@dataclass(slots=True)
class _Found:
    channels: Tensor
    key_heads: list[Tensor]
    neurons: list[Tensor]


def _activations(model: Any, inputs: Tensor, layers: Sequence[int]) -> _Found:
    """Return the mean size of every channel, group of heads and neuron over the inputs."""
    config = model.config
    heads: dict[int, Tensor] = {}
    neurons: dict[int, Tensor] = {}
    channels = torch.zeros(config.hidden_size)
    handles = []

    def watch(kind: str, layer: int) -> Any:
        def hook(_module: Any, given: tuple[Tensor, ...], _said: Tensor) -> None:
            sizes = given[0].float().abs().flatten(0, -2).mean(0)
            if kind == "heads":
                heads[layer] = sizes.view(config.num_key_value_heads, -1).mean(1)
            elif kind == "neurons":
                neurons[layer] = sizes
            else:
                channels.add_(sizes)

        return hook

    for layer in layers:
        block = model.model.layers[layer]
        handles.append(block.self_attn.o_proj.register_forward_hook(watch("heads", layer)))
        handles.append(block.mlp.down_proj.register_forward_hook(watch("neurons", layer)))
        # What the norm puts out is what the projections read: Minitron's measure of a channel.
        handles += [
            part.register_forward_hook(watch("channels", layer)) for part in (block.mlp.up_proj, block.self_attn.q_proj)
        ]
    with _only(model, layers):
        model(input_ids=inputs, use_cache=False)
    for handle in handles:
        handle.remove()
    return _Found(channels, [heads[layer] for layer in layers], [neurons[layer] for layer in layers])


def _turned(model: Any, inputs: Tensor) -> Tensor:
    """Return for each layer one minus the mean cosine between what enters and what leaves it."""
    turned: list[Tensor] = []

    def hook(_module: Any, given: tuple[Tensor, ...], said: Any) -> None:
        left = said[0] if isinstance(said, tuple) else said
        turned.append(1.0 - torch.cosine_similarity(given[0].float(), left.float(), dim=-1).mean())

    handles = [layer.register_forward_hook(hook) for layer in model.model.layers]
    model(input_ids=inputs, use_cache=False)
    for handle in handles:
        handle.remove()
    return torch.stack(turned)


def _loss_with(model: Any, windows: Tensor, layers: Sequence[int]) -> float:
    with _only(model, layers):
        logits = model(input_ids=windows[:, :-1], use_cache=False).logits
    return float(torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), windows[:, 1:].flatten()))


@contextmanager
def _only(model: Any, layers: Sequence[int]) -> Iterator[None]:
    """Let the model run with these of its layers alone."""
    whole, count = model.model.layers, model.config.num_hidden_layers
    model.model.layers = torch.nn.ModuleList(whole[layer] for layer in layers)
    model.config.num_hidden_layers = len(layers)
    try:
        yield
    finally:
        model.model.layers, model.config.num_hidden_layers = whole, count


def _strongest(values: Tensor, count: int) -> tuple[int, ...]:
    return tuple(sorted(values.topk(count).indices.tolist()))


def _spread(numbers: Sequence[int], width: int) -> Tensor:
    return (torch.tensor(list(numbers))[:, None] * width + torch.arange(width)).flatten()


def all_of(sizes: Sizes) -> Plan:
    """Return the plan that keeps everything."""
    layers = tuple(range(sizes.layers))
    return Plan(
        layers=layers,
        channels=tuple(range(sizes.hidden)),
        key_heads=tuple(tuple(range(sizes.key_heads)) for _ in layers),
        neurons=tuple(tuple(range(sizes.feed_forward)) for _ in layers),
    )
