"""Home of the ufuncs that work behind functions with parameters; `_public` fills it."""
