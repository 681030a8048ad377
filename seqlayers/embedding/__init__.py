"""How readings, or ids, become features of the model's width."""

from seqlayers.embedding.ngrams import NGrams, ngram_buckets
from seqlayers.embedding.one_hot import OneHot
from seqlayers.embedding.patch import Patch
from seqlayers.embedding.time2vec import Time2Vec
from seqlayers.embedding.token import Token
from seqlayers.embedding.value import Value

__all__ = ["NGrams", "OneHot", "Patch", "Time2Vec", "Token", "Value", "ngram_buckets"]
