"""From what processes print to log files of bounded size, and how those are read."""
