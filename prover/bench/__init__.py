"""`plasmaperps prover bench`: what proving costs here, job by job, each result checked."""
