"""Molecules that assemble into remembered shapes."""
