"""What is done to readings and texts before a model sees them: fitted on train rows, kept as JSON."""

from data.transforms.forms import GRAPH, NUMPY
from data.transforms.series import SeriesTransform

__all__ = ["GRAPH", "NUMPY", "SeriesTransform"]
