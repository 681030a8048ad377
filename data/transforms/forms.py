"""One small array namespace in two forms, so that a transform is written once.

`NUMPY` serves tests and devices, `GRAPH` tf.data and exported signatures. `GRAPH` holds only operations that LiteRT
has as builtins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class Numpy:
    """NumPy arrays, float32 and int64."""

    name = "numpy"

    def constant(self, value: Any) -> Any:
        return np.asarray(value, np.float32)

    def integers(self, value: Any) -> Any:
        return np.asarray(value, np.int64)

    def to_float(self, x: Any) -> Any:
        return np.asarray(x).astype(np.float32)

    def to_integer(self, x: Any) -> Any:
        return np.asarray(x).astype(np.int64)

    def mod(self, x: Any, period: int) -> Any:
        return x % np.int64(period)

    def round(self, x: Any) -> Any:
        return np.round(x)

    def sin(self, x: Any) -> Any:
        return np.sin(x)

    def cos(self, x: Any) -> Any:
        return np.cos(x)

    def minimum(self, x: Any, y: Any) -> Any:
        return np.minimum(x, y)

    def take(self, x: Any, indices: Sequence[int]) -> Any:
        """Columns of the last axis."""
        return x[..., list(indices)]

    def stack(self, columns: Sequence[Any]) -> Any:
        return np.stack(columns, axis=-1)

    def concatenate(self, parts: Sequence[Any]) -> Any:
        return np.concatenate(parts, axis=-1)

    def expand(self, x: Any) -> Any:
        return np.expand_dims(x, -1)


class Graph:
    """TensorFlow tensors; tensorflow is imported on first use."""

    name = "graph"

    @property
    def _tf(self) -> Any:
        import tensorflow

        return tensorflow

    def constant(self, value: Any) -> Any:
        return self._tf.constant(np.asarray(value, np.float32))

    def integers(self, value: Any) -> Any:
        return self._tf.constant(np.asarray(value, np.int64))

    def to_float(self, x: Any) -> Any:
        return self._tf.cast(x, self._tf.float32)

    def to_integer(self, x: Any) -> Any:
        return self._tf.cast(x, self._tf.int64)

    def mod(self, x: Any, period: int) -> Any:
        return self._tf.math.floormod(x, self._tf.constant(period, self._tf.int64))

    def round(self, x: Any) -> Any:
        return self._tf.round(x)

    def sin(self, x: Any) -> Any:
        return self._tf.sin(x)

    def cos(self, x: Any) -> Any:
        return self._tf.cos(x)

    def minimum(self, x: Any, y: Any) -> Any:
        return self._tf.minimum(x, y)

    def take(self, x: Any, indices: Sequence[int]) -> Any:
        return self._tf.gather(x, self._tf.constant(list(indices), self._tf.int32), axis=-1)

    def stack(self, columns: Sequence[Any]) -> Any:
        return self._tf.stack(columns, axis=-1)

    def concatenate(self, parts: Sequence[Any]) -> Any:
        return self._tf.concat(parts, axis=-1)

    def expand(self, x: Any) -> Any:
        return self._tf.expand_dims(x, -1)


NUMPY = Numpy()
GRAPH = Graph()
