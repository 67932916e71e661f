"""One discrete variable at a time, at T = 0 and T > 0: fields, visits, moves."""
