"""Learned generators: diffusion models, flows, adversarial pairs."""
