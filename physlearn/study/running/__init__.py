"""How a study runs: the driver, its workers, executors."""
