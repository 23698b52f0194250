"""What may lie behind a token at each point: some points of interest, as bits, carried along the flow."""

from collections.abc import Iterator, Sequence

from wfc.flow.graph import Frame, Graph, Point


class Behind:
    """A forward data flow by union. What an abort crosses is behind no longer, unless the guard keeps it."""

    def __init__(self, graph: Graph, marks: Sequence[Point]) -> None:
        self.marks = marks
        self.bit = {id(point): 1 << number for number, point in enumerate(marks)}
        self.may: dict[int, int] = {id(graph.start): 0}
        waiting = [graph.start] if marks else []
        while waiting:
            point = waiting.pop()
            for target, bits in self._flows(point):
                known = self.may.get(id(target))
                if known is None or known | bits != known:
                    self.may[id(target)] = (known or 0) | bits
                    waiting.append(target)

    def _flows(self, point: Point) -> Iterator[tuple[Point, int]]:
        bits = self.may[id(point)]
        for abort in point.aborts:
            if abort.target is not None:
                yield abort.target, bits if abort.keep else bits & ~self.inside(abort.frame)
        bits |= self.bit.get(id(point), 0)
        for target in point.next:
            yield target, bits

    def inside(self, frame: Frame) -> int:
        """The points of interest inside a frame, as bits."""
        return sum(self.bit[id(mark)] for mark in self.marks if mark.frame.inside(frame))

    def of(self, point: Point) -> Iterator[Point]:
        """The points of interest that may lie behind a point."""
        bits = self.may.get(id(point), 0)
        return (mark for mark in self.marks if bits & self.bit[id(mark)])
