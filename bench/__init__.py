"""Measurements that need more than this project: never part of the wheel."""
