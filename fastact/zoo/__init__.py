"""The activations to look at, to read about, and to compare: the commands beside `bench`, and what they call."""
