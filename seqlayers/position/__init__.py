"""How a step knows when it is."""

from seqlayers.position.learned import Learned
from seqlayers.position.none import NoPosition
from seqlayers.position.sinusoidal import Sinusoidal

__all__ = ["Learned", "NoPosition", "Sinusoidal"]
