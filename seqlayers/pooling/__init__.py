"""How a sequence becomes one vector."""

from seqlayers.pooling.last import Last
from seqlayers.pooling.mean import Mean

__all__ = ["Last", "Mean"]
