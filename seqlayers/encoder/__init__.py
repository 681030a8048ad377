"""What reads the sequence: recurrences, convolutions, mixers and attention."""

from seqlayers.encoder.attention import Attention
from seqlayers.encoder.bidirectional import Bidirectional
from seqlayers.encoder.convolution import Convolution
from seqlayers.encoder.gated_linear import GatedLinear
from seqlayers.encoder.gru import GRU
from seqlayers.encoder.lstm import LSTM
from seqlayers.encoder.min_gru import MinGRU
from seqlayers.encoder.min_lstm import MinLSTM
from seqlayers.encoder.mixer import Mixer
from seqlayers.encoder.segment_gru import SegmentGRU
from seqlayers.encoder.simple_rnn import SimpleRNN
from seqlayers.encoder.temporal_convolution import TemporalConvolution
from seqlayers.encoder.transformer import Transformer

__all__ = [
    "GRU",
    "LSTM",
    "Attention",
    "Bidirectional",
    "Convolution",
    "GatedLinear",
    "MinGRU",
    "MinLSTM",
    "Mixer",
    "SegmentGRU",
    "SimpleRNN",
    "TemporalConvolution",
    "Transformer",
]
