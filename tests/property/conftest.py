"""The compiler raises Python's recursion limit when it first runs; hypothesis wants it to stay as it is in a test."""

import sys

from wfc.driver.pipeline import RECURSION

sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION))
