"""Runs machines on Temporal: one generic workflow feeds the pure machine, and does what it asks for."""
