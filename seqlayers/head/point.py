"""What heads that give one number a step share."""

from __future__ import annotations

from typing import Any

from seqlayers.head.losses import PointLoss, point_loss
from seqlayers.slots import Kind


def window_level(x: Any, subtract: str, xp: Any) -> Any:
    """What is subtracted from each channel of windows (batch, look-back, channels): (batch, 1, channels).

    Args:
        x: the windows.
        subtract: `none` (0), `last` or `mean`.
        xp: numpy or keras.ops.
    """
    if subtract == "mean":
        return xp.mean(x, axis=1, keepdims=True)
    return x[:, -1:] if subtract == "last" else xp.zeros_like(x[:, -1:])


class PointHead(Kind):
    """A head whose output is the forecast itself, trained by one of the point losses."""

    from_task = ("horizon", "targets")
    rate = None
    forecasts = True
    #: What the output means; heads are blended only with their like.
    output_kind = "point"

    loss_name: PointLoss
    horizon: int
    targets: int

    @property
    def mixture_shape(self) -> tuple[int, ...]:
        """The axes of the output that have weights of their own in a blend: (horizon, targets)."""
        return self.horizon, self.targets

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"loss": self.loss_name}  # `loss` itself is the method below

    def loss(self, target: Any, output: Any) -> Any:
        """target and output (batch, horizon, targets) → (batch,)."""
        return point_loss(self.loss_name, target, output)

    def predict(self, output: Any) -> Any:
        """The point forecast of an output, (batch, horizon, targets)."""
        return output

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None
