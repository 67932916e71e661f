"""dimod's side of the house (extra `ising`): a sampler for programs that were written for dimod."""

from physlearn.dimod.sampler import AnnealingSampler

__all__ = ["AnnealingSampler"]
