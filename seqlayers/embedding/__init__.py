"""How readings become features of the model's width."""

from seqlayers.embedding.patch import Patch
from seqlayers.embedding.value import Value

__all__ = ["Patch", "Value"]
