"""How a window is brought to a common level and scale before the model, and its forecast brought back."""

from seqlayers.normalise.none import NoNormalise
from seqlayers.normalise.reversible import Reversible

__all__ = ["NoNormalise", "Reversible"]
