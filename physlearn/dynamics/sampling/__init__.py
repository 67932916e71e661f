"""The verb `sample`, its result, and the engines without a folder of their own."""
