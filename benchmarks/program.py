"""Programs to measure with: a workflow module, and a Python module, of any length."""

_HEAD = """\
module bench.generated

type OrderId = Text
record Order { id: OrderId, amount: Money<EUR>, express: Bool }
enum Outcome { Delivered, Refused(reason: Text) }
error Declined(reason: Text)
error OutOfStock

service bank {
  activity charge(order: OrderId, amount: Money<EUR>) raises Declined key order compensate refund(order)
  activity refund(order: OrderId) key order
}

service stock {
  activity reserve(order: OrderId) raises OutOfStock key order compensate release(order)
  activity release(order: OrderId) key order
}
"""

_WORKFLOW = """\

// Process NUMBER: charge, reserve, and undo both if anything fails on the way.
workflow process_NUMBER(order: Order) -> Outcome version 1 key order.id {
  var attempts: Int = 0
  catch any as problem { done Refused(problem.message) }

  state paying {
    set attempts = attempts + 1
    do bank.charge(order.id, order.amount)
    -> reserving
  }

  state reserving {
    do stock.reserve(order.id)
    -> size
  }

  gateway size {
    choose {
      when order.amount > 500EUR and order.express -> waiting
      when attempts > 3 or order.amount == 0EUR    { done Refused("too often: {attempts}") }
      otherwise                                    -> finished
    }
  }

  state waiting {
    wait 2h30m
    -> finished
  }

  state finished {
    done Delivered
  }
}
"""

_PYTHON = """\

# Process NUMBER: charge, reserve, and undo both if anything fails on the way.
class Process_NUMBER(Workflow):
    def __init__(self, order: Order) -> None:
        self.order, self.attempts = order, 0

    def paying(self) -> str:
        self.attempts = self.attempts + 1
        bank.charge(self.order.id, self.order.amount)
        return "reserving"

    def reserving(self) -> str:
        stock.reserve(self.order.id)
        return "size"

    def size(self) -> str:
        if self.order.amount > 500 and self.order.express:
            return "waiting"
        if self.attempts > 3 or self.order.amount == 0:
            return done(Refused(f"too often: {self.attempts}"))
        return "finished"

    def waiting(self) -> str:
        wait(hours=2, minutes=30)
        return "finished"

    def finished(self) -> Outcome:
        return done(Delivered())
"""


def workflows(lines: int) -> str:
    """A module of the language with about that many lines."""
    return _HEAD + _repeated(_WORKFLOW, lines - _HEAD.count("\n"))


def python(lines: int) -> str:
    """A Python module that says much the same, with exactly that many lines."""
    text = _repeated(_PYTHON, lines - _PYTHON.count("\n") // 2)
    return text + "#\n" * (lines - text.count("\n"))


def _repeated(pattern: str, lines: int) -> str:
    count = max(1, round(lines / pattern.count("\n")))
    return "".join(pattern.replace("NUMBER", str(i)) for i in range(count))
