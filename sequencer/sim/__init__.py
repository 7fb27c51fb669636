"""The market simulator: a seeded order flow, and its measured run through the venue."""
