"""Live classes: one session object from the plan to its end, who may come in and when, and who was there.

It owns sessions, their states and attendance. It does not know the chat beside a session, nor how anybody is told of it.
"""
