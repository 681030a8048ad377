"""What comes out: forecasts and their quantiles, classes, tokens, notes and labels, and the loss that trains them."""

from seqlayers.head.classify import Classify
from seqlayers.head.forecast import Forecast
from seqlayers.head.linear import Linear
from seqlayers.head.naive_bayes import NaiveBayes
from seqlayers.head.ngram import NGram
from seqlayers.head.note_counts import NoteCounts
from seqlayers.head.notes import Notes
from seqlayers.head.quantile import Quantile
from seqlayers.head.random_features import RandomFeatures
from seqlayers.head.regions import Regions
from seqlayers.head.tag import Tag
from seqlayers.head.tokens import Tokens

__all__ = [
    "Classify",
    "Forecast",
    "Linear",
    "NGram",
    "NaiveBayes",
    "NoteCounts",
    "Notes",
    "Quantile",
    "RandomFeatures",
    "Regions",
    "Tag",
    "Tokens",
]
