"""How a sequence becomes one vector."""

from seqlayers.pooling.attention import AttentionPooling
from seqlayers.pooling.last import Last
from seqlayers.pooling.max import Max
from seqlayers.pooling.mean import Mean

__all__ = ["AttentionPooling", "Last", "Max", "Mean"]
