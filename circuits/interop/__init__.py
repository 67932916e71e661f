"""The former place of `circuits.neurons.interop`; its modules keep their names here."""
