"""Arguments as scikit-learn's convention has them: stored unseen, looked at when an estimator fits."""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import validate_data
except ImportError as error:
    raise ImportError("physlearn.sklearn needs scikit-learn: pip install 'physlearn-sim[sklearn]'") from error

from physlearn.checks import seen


def data_of(estimator, X, reset=True, **settings) -> Any:
    """X as scikit-learn validates it, with its name in every refusal."""
    try:
        return validate_data(estimator, X, dtype=np.float64, reset=reset, **settings)
    except (TypeError, ValueError) as error:
        raise type(error)(f"X: {error}") from error


def random_state_of(value):
    """A RandomState of scikit-learn's argument random_state."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return check_random_state(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"random_state: got {seen(value)}, expected zero or a positive integer below 2**32, a RandomState or None"
        ) from None


def generator_of(value):
    """A NumPy generator of scikit-learn's argument random_state."""
    return np.random.default_rng(random_state_of(value).randint(np.iinfo(np.int32).max, size=4))
