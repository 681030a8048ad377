"""Sequence-model slots for Keras: one catalogue of layers for every place in a sequence model.

Imports keras, numpy and pydantic only, so that it runs on any Keras backend.
"""

__version__ = "0.1.0"
