"""The scheduled jobs, one file each: find what is due, call the domain or publish, return a one-line report.

What must hold: a job is idempotent and safe to run twice at once; the second finds the first and says so. Every run
has its row in `job_run`.
"""
