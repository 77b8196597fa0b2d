"""The tests of fastact."""
