"""Runs of the pure machine in simulated time: a world that answers, scenarios, faults, exploration."""
