"""The L1 side of the venue: chain adapters, deployment and contract calls."""
