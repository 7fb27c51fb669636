"""The chip language: expressions, typed columns, buses, one builder, one tape."""
