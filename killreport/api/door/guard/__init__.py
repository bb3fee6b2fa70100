"""What stands between a request and the schema: cost, rate limits, time-outs, kept answers, transports.

What must hold: nothing runs before its size and cost are known; memory that strangers can fill is bounded; an answer
with an error, or to somebody with a cookie or a token, is never kept.
"""
