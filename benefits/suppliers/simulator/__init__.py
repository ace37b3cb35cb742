"""A supplier as a separate HTTP process, with faults on demand and a truth file."""
