"""Learning networks as laboratories build them: imperfect parts, what they cost, and files from the bench.

A machine inside `Hardware` is trained by `physlearn.learn` like the machine itself; `learn` asks it (``__learn__``) for
the rule and the optimiser as its parts carry them out.
"""
