"""How a step knows when it is."""

from seqlayers.position.alibi import ALiBi
from seqlayers.position.learned import Learned
from seqlayers.position.none import NoPosition
from seqlayers.position.relative import Relative
from seqlayers.position.rotary import Rotary
from seqlayers.position.sinusoidal import Sinusoidal

__all__ = ["ALiBi", "Learned", "NoPosition", "Relative", "Rotary", "Sinusoidal"]
