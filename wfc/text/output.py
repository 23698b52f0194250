"""A file to be written, as a value: what the backends make and the driver writes."""

from wfc.text.value import Value, value


@value
class Output(Value):
    """The whole text of one file. `path` is relative to the output folder, in posix style."""

    path: str
    text: str
