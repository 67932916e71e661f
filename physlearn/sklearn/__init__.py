"""Estimators of scikit-learn, made of machines that learn here; needs the extra ``sklearn``.

Import them only where scikit-learn is wanted, since that import is slow.
"""

from physlearn.sklearn.autoencoder import EnergyAutoencoder
from physlearn.sklearn.boltzmann import BernoulliRBM
from physlearn.sklearn.networks import EnergyClassifier, EnergyRegressor

__all__ = ["BernoulliRBM", "EnergyAutoencoder", "EnergyClassifier", "EnergyRegressor"]
