"""Layered networks: graphs of predictions."""
