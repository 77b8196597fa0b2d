"""Commands that make files of the repository from the table of activations, build wheels, and run others' tests."""
