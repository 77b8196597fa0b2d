# The formulas of half-precision arrays, where these allow a shorter one.
