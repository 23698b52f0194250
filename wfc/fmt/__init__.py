"""One layout for every source: what `wfc fmt` writes.

Four steps, each linear in the text. `words` reads the tokens with the comments and blank lines between them, `tree`
groups them by the grammar, `plan` says before which token a line ends and how deep the next one stands, and `write`
copies token after token with what stands before it. Only `write` makes text, and it takes the tokens and comments one
by one from the source: a layout can be ugly, but it cannot lose anything.
"""
