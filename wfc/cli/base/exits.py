"""What the exit code of a command means."""

FINE = 0
PROBLEMS = 1  # found in the program, or its output is not up to date
WRONG_USE = 2  # of the command line, or input that cannot be read
BUG = 70  # ours
INTERRUPTED = 130  # by Ctrl-C, as shells report it
READER_GONE = 141  # a broken pipe, as shells report it
