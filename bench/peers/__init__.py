"""The yardstick on provers of other projects, beside this one's, in the same run."""
