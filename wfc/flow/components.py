"""Strongly connected parts of a graph."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


def components(targets: Mapping[T, Iterable[T]]) -> Iterator[set[T]]:
    """The strongly connected parts of a graph, each once (Tarjan), without recursion."""
    index: dict[T, int] = {}
    low: dict[T, int] = {}
    stack: list[T] = []
    on: set[T] = set()
    for root in targets:
        if root in index:
            continue
        work: list[tuple[T, Iterator[T]]] = [(root, iter(targets[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while work:
            name, rest = work[-1]
            following = next((n for n in rest if n in targets and (n not in index or n in on)), None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    part: set[T] = set()
                    while name not in part:
                        last = stack.pop()
                        on.discard(last)
                        part.add(last)
                    yield part
            elif following in index:
                low[name] = min(low[name], index[following])
            else:
                index[following] = low[following] = len(index)
                stack.append(following)
                on.add(following)
                work.append((following, iter(targets[following])))
