"""A proof on several workers that may die, be slow or be wrong; the bytes are those of one."""
