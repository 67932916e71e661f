from .activations import (
    HardSigmoid as HardSigmoid,
    Identity as Identity,
    Logistic as Logistic,
    Relu as Relu,
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
from .feedback import FeedbackAffine as FeedbackAffine
from .map import Map as Map
from .norms import (
    BatchNorm as BatchNorm,
    Dropout as Dropout,
    LayerNorm as LayerNorm,
    Masked as Masked,
    Standardised as Standardised,
)
