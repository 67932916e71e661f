"""Running a study: the driver, its workers, executors."""
