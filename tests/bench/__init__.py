"""Benchmarks: ours beside a floor or a peer on the same machine, interleaved. `make bench` prints the figures as JSON."""
