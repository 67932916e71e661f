from .activations import (
    HardSigmoid as HardSigmoid,
    Identity as Identity,
    Logistic as Logistic,
    Relu as Relu,
    Silu as Silu,
    Softmax as Softmax,
    Softplus as Softplus,
    Tanh as Tanh,
)
from .affine import (
    Affine as Affine,
    Constant as Constant,
)
from .compose import (
    Chain as Chain,
    Concatenate as Concatenate,
    Reshape as Reshape,
    Sum as Sum,
)
from .conv import (
    AveragePool as AveragePool,
    Conv as Conv,
    MaxPool as MaxPool,
)
from .coupling import AffineCoupling as AffineCoupling
from .draw import NormalDraw as NormalDraw
from .feedback import FeedbackAffine as FeedbackAffine
from .graphs.attention import EdgeAttention as EdgeAttention
from .graphs.convolution import GraphConvolution as GraphConvolution
from .graphs.edges import pack_graphs as pack_graphs
from .graphs.message import (
    Collect as Collect,
    Ends as Ends,
    MessagePassing as MessagePassing,
)
from .map import Map as Map
from .norms import (
    BatchNorm as BatchNorm,
    Dropout as Dropout,
    LayerNorm as LayerNorm,
    Masked as Masked,
    Standardised as Standardised,
)
from .sequence.attention import Attention as Attention
from .sequence.block import TransformerBlock as TransformerBlock
from .sequence.directions import (
    Bidirectional as Bidirectional,
    Last as Last,
)
from .sequence.entries import (
    Beside as Beside,
    Each as Each,
    Residual as Residual,
)
from .sequence.gru import GRU as GRU
from .sequence.lstm import LSTM as LSTM
from .sequence.mingru import MinGRU as MinGRU
from .sequence.pool import Pool as Pool
from .sequence.rnn import RNN as RNN
from .sequence.tokens import (
    Embedding as Embedding,
    Positions as Positions,
)
from .sequence.unroll import (
    Step as Step,
    unroll as unroll,
)
