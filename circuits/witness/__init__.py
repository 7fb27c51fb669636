"""From the events of a batch to one table per chip, and the file that holds them."""
