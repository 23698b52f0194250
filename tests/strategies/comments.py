"""Comments, blank lines and line ends thrown into a text at any place between two tokens."""

from hypothesis import strategies as st

from wfc.syntax.tokens import tokenize

_THROWN = (
    " // at the end\n",
    "\n// on its line\n",
    "\n// one\n// two\n",
    "\n\n// apart\n\n",
    "\n/// a doc comment\n",
    " // allow dead-end: no\n",
    " /// at the end\n/// and below\n",
    "\n//\n",
    "\n",
    "\n\n\n",
    " ",
    "\t",
    "\r\n",
    "  // é 日本 🎉  \r\n",
    ' // { ( [ " } ,\n',
)


@st.composite
def strewn(draw: st.DrawFn, texts: st.SearchStrategy[str], most: int = 20) -> str:
    """A text with comments and white space thrown in, at no place where they would change its meaning."""
    text = draw(texts)
    tokens = tokenize(text)
    thrown = draw(st.lists(st.tuples(st.integers(0, len(tokens.starts) - 1), st.sampled_from(_THROWN)), max_size=most))
    for at, comment in sorted(thrown, reverse=True):
        place = tokens.starts[at]
        text = text[:place] + comment + text[place:]
    return text
