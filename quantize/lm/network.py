"""The network that is trained: Llama, small, in plain torch.

Its parameters carry the names that `transformers` gives them, so that what was
trained loads into `LlamaForCausalLM` (and so into every converter) unchanged.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from quantize.lm.settings import Shape


class Attention(nn.Module):  # type: ignore[misc]
    """Causal self-attention with rotary positions and shared key heads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        size = shape.head_size
        self.q_proj = nn.Linear(shape.hidden, shape.heads * size, bias=False)
        self.k_proj = nn.Linear(shape.hidden, shape.key_heads * size, bias=False)
        self.v_proj = nn.Linear(shape.hidden, shape.key_heads * size, bias=False)
        self.o_proj = nn.Linear(shape.heads * size, shape.hidden, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Mix each position with those before it."""
        rows, length, _ = x.shape
        size = self.shape.head_size
        q = self.q_proj(x).view(rows, length, -1, size).transpose(1, 2)
        k = self.k_proj(x).view(rows, length, -1, size).transpose(1, 2)
        v = self.v_proj(x).view(rows, length, -1, size).transpose(1, 2)
        q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
        share = self.shape.heads // self.shape.key_heads
        k, v = k.repeat_interleave(share, dim=1), v.repeat_interleave(share, dim=1)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        out: Tensor = self.o_proj(mixed.transpose(1, 2).reshape(rows, length, -1))
        return out


class FeedForward(nn.Module):  # type: ignore[misc]
    """The gated layer between two attentions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.down_proj = nn.Linear(shape.feed_forward, shape.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each position on its own."""
        out: Tensor = self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Block(nn.Module):  # type: ignore[misc]
    """Attention, then feed-forward, each added to what came in."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.hidden, eps=shape.epsilon)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.hidden, eps=shape.epsilon)
        self.mlp = FeedForward(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Apply both halves."""
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Body(nn.Module):  # type: ignore[misc]
    """Everything but the output head."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.hidden, eps=shape.epsilon)


class Llama(nn.Module):  # type: ignore[misc]
    """The language model; its output head is its embedding table."""

    cos: Tensor
    sin: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.model = Body(shape)
        cos, sin = _rotary_tables(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self._initialise()

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of the next token at each position."""
        length = tokens.shape[1]
        x = self.model.embed_tokens(tokens)
        cos, sin = self.cos[:length], self.sin[:length]
        for block in self.model.layers:
            x = block(x, cos, sin)
        return functional.linear(self.model.norm(x), self.model.embed_tokens.weight)

    def loss(self, tokens: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """Return the mean negative log-likelihood of the targets, weighted."""
        logits = self(tokens).flatten(0, 1).float()
        each = functional.cross_entropy(logits, targets.flatten(), reduction="none")
        flat = weights.flatten()
        return (each * flat).sum() / flat.sum().clamp(min=1.0)

    def _initialise(self) -> None:
        deep = (2 * self.shape.layers) ** -0.5
        for name, weight in self.named_parameters():
            if weight.dim() < 2:
                continue
            nn.init.normal_(weight, std=0.02)
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.data.mul_(deep)


def parameters_of(model: nn.Module) -> int:
    """Count the trained numbers."""
    return sum(weight.numel() for weight in model.parameters())


def _rotary_tables(shape: Shape) -> tuple[Tensor, Tensor]:
    half = torch.arange(0, shape.head_size, 2, dtype=torch.float32) / shape.head_size
    angles = torch.outer(torch.arange(shape.context, dtype=torch.float32), shape.rope_theta**-half)
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (i, i + half) by its position's angle, as `transformers` lays it out."""
    left, right = x.chunk(2, dim=-1)
    turned: Tensor = x * cos + torch.cat((-right, left), dim=-1) * sin
    return turned.to(x.dtype)
