"""The definition of a study: parameter space, plan, task, study file."""
