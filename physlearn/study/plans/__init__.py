"""What a study is: parameter space, plan, task, study file."""
