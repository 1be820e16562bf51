"""A tiny vision transformer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Self-attention of several heads over tokens (image, token, width)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Mix the tokens."""
        images, tokens, width = x.shape
        query, key, value = self.qkv(x).view(images, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        response: Tensor = self.proj(mixed.transpose(1, 2).reshape(images, tokens, width))
        return response


class TransformerBlock(nn.Module):
    """Attention, then a perceptron of one hidden layer, each added to its normalised input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 2 * width)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens after one block."""
        x = x + self.attn(self.norm1(x))
        response: Tensor = x + self.fc2(self.act(self.fc1(self.norm2(x))))
        return response


class VisionTransformer(nn.Module):
    """Vision transformer (Dosovitskiy et al. 2021) with a class token; input (image, 3, 64, 64).

    64 patches of 8 pixels and the class token, width 64, four blocks of four heads. The patches are embedded by
    three small convolutions, with which few images are enough (Xiao et al. 2021).
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        width, depth, heads, patch = 64, 4, 4, 8
        self.patch_embed = nn.Sequential(
            nn.Conv2d(3, 16, 5, stride=2, padding=2),
            nn.GELU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(32, width, 3, stride=2, padding=1),
        )
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, (64 // patch) ** 2 + 1, width))
        self.blocks = nn.Sequential(*(TransformerBlock(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits (image, class), read from the class token."""
        patches = self.patch_embed(image).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(image), -1, -1), patches], 1) + self.pos_embed
        logits: Tensor = self.head(self.norm(self.blocks(tokens))[:, 0])
        return logits
