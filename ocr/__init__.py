"""Pixels to words: one module per reading engine."""
