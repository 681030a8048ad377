"""What reads the sequence: recurrences, convolutions, mixers and attention."""

from seqlayers.encoder.convolution import Convolution
from seqlayers.encoder.gru import GRU
from seqlayers.encoder.lstm import LSTM
from seqlayers.encoder.mixer import Mixer
from seqlayers.encoder.segment_gru import SegmentGRU
from seqlayers.encoder.simple_rnn import SimpleRNN
from seqlayers.encoder.transformer import Transformer

__all__ = ["GRU", "LSTM", "Convolution", "Mixer", "SegmentGRU", "SimpleRNN", "Transformer"]
