"""The verb `sample`, its result, and engines that are no room of their own."""
