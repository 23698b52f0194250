"""The pure machine: what a process does, input by input. No clock, no chance, no input or output."""
