"""Card codes: encrypted at rest, shown to their owner alone, each showing recorded."""
