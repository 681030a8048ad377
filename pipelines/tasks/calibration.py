"""What turns a classifier's logits into probabilities and a class; light to import, since `predict` needs it too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax


@dataclass(frozen=True)
class Calibration:
    """Found on the validation part: probabilities are softmax(z / temperature), and of two classes the second is said
    from `threshold` on; None: the likelier."""

    temperature: float = 1.0
    threshold: float | None = None

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        return np.exp(log_softmax(logits.astype(np.float64) / self.temperature, axis=-1))

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        if self.threshold is None:
            return probabilities.argmax(-1)
        return (probabilities[:, 1] >= self.threshold).astype(int)
