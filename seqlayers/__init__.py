"""Sequence-model slots for Keras: one catalogue of layers for every place in a sequence model.

Imports keras, numpy and pydantic only, so that it runs on any Keras backend.
"""

#: The rooms: each is a slot, each file in it a kind.
ROOMS = ("normalise", "embedding", "position", "encoder", "decoder", "pooling", "head")

__version__ = "0.1.0"
