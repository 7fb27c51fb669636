"""The venue: order, execute, seal, prove and post batches of signed commands."""
