"""The fleet: every process the product runs, as one data row each, and how a process tells that it is ready."""
