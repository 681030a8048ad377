"""What writes a sequence step by step, beside a memory of the one it read."""

from seqlayers.decoder.recurrent import RecurrentDecoder
from seqlayers.decoder.transformer import TransformerDecoder

__all__ = ["RecurrentDecoder", "TransformerDecoder"]
