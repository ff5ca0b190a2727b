"""Who learns what, and how far they are: enrolments, watched ranges, completed lessons. It does not know live classes, chat or reviews."""
