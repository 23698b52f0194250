"""The words that name nothing which is read alone in an expression."""

RESERVED = frozenset(
    (
        "after also and any at audit await catch choose do done else emit every fail false for gateway if in is keep"
        " let lock measure none not on or parallel repeat scope set settle some start state then true undo until wait"
    ).split()
)
LITERAL_WORDS = frozenset(("if", "not", "true", "false", "none"))  # these may not even name a field
