"""Attempts: the key of a call, what is sent, when it is tried again, and when its time is over."""

from decimal import Decimal
from typing import Any

from wfc.ir.machine import Do
from wfc.machine.base import ERRORS, WAITS, Env
from wfc.machine.code import CallCode, Calling, PolicyCode
from wfc.machine.guards import Guards
from wfc.machine.instance import Call, Fiber, Frame, Policy, Timer
from wfc.machine.messages import Beat, Send

KINDS = ("activity", "query", "task")  # of operations; a workflow has no clauses that read operands
TIMED = ("activity", "query")  # what a host may time; a child and a person are not sent through a queue
RETRIED = frozenset({"Timeout", "Unavailable"})
ROUND = 1_000_000  # attempts of one round; the numbers of the next one begin behind them


class Attempts(Guards):
    """The part of a turn that tries."""

    # -- keys

    def call_key(self, fiber: Fiber, code: CallCode, frame: Frame, args: tuple[Any, ...]) -> tuple[str, str]:
        """The key of a call, and the id of the instance that it starts."""
        place = f"{code.path}/{code.number}" if code.path else code.number
        if fiber.undo:
            parts = ["undo", code.number, *map(str, frame.iteration[fiber.undo_depth :])]
            key = "/".join([fiber.undo, *filter(None, parts)])
            visit = self.visit(key)
            key = key if visit == 1 or code.number == "" else f"{key}#{visit}"
            return key, key
        iteration = list(map(str, frame.iteration))
        visit = self.visit("/".join([place, *iteration]))
        own = self._own_key(code, frame, args)
        tail = own if own is not None else "/".join([place, *iteration, str(visit)])
        if code.kind == "start":
            return f"{code.target}/{tail}", f"{code.target}/{tail}"
        key = f"{self.inst.id}/{code.target}/{tail}"
        return key, key

    def _own_key(self, code: CallCode, frame: Frame, args: tuple[Any, ...]) -> str | None:
        """The key that the call, its operation or its workflow says."""
        if code.key is not None and not code.key_reads_operands:
            return str(self.value(code.key, frame))
        if code.own_key is None:
            return None
        return str(self.value(code.own_key, None, dict(zip(code.names, args, strict=True))))

    def operands(self, code: CallCode, call: Call) -> dict[str, Any]:
        """The arguments of a call, as clauses of its operation read them."""
        return dict(zip(code.names, call.args, strict=True)) if call.kind in KINDS else {}

    def code_of(self, call: Call) -> CallCode | None:
        """The code of a call; None for the undo of a child, which no program has written."""
        if call.pc < 0:
            return None
        instruction = self.program.code[call.pc]
        assert isinstance(instruction, Calling)
        return instruction.call

    # -- attempts

    def round(self, fiber: Fiber) -> None:
        """A round of attempts: the first, and one after each retry of an operator."""
        call = fiber.call
        assert call is not None
        fiber.due = []
        call.round += 1
        call.attempt = 0
        self.note("called", call.path, self.inst.frames[fiber.frame], operation=call.target, key=call.key)
        if call.policy is not None and call.policy.overall is not None:
            self.arm(fiber, Timer(self.now + call.policy.overall, ERRORS, "overall"))
        self.attempt(fiber)

    def attempt(self, fiber: Fiber) -> None:
        call = fiber.call
        assert call is not None
        call.attempt += 1
        policy = call.policy
        throttled = policy is not None and (policy.limit is not None or policy.concurrency is not None)
        throttled = throttled and not self.program.host_times_attempts
        call.state = "queued" if throttled else "sent"
        if not throttled:
            self._count(fiber, call)
        key = call.instance
        if call.kind == "workflow" and (call.attempt > 1 or call.round > 1):
            key = f"{key}#{self.visit(f'{call.instance}#') + 1}"
        code = self.code_of(call)
        self.commands.append(
            Send(
                call=call.id,
                attempt=number_of(call),
                kind=call.kind,
                target=call.target,
                key=key if call.kind in ("workflow", "start", "undo") else call.key,
                args=call.args,
                policy=policy.name if policy is not None else "",
                timeout=policy.timeout if policy is not None else None,
                assign=self._assign(fiber, code, call) if code is not None else None,
                effect=code.step.effect if code is not None and isinstance(code.step, Do) else "none",
                undo=bool(fiber.undo),
                breaker=policy.breaker if policy is not None else None,
                limit=policy.limit if policy is not None else None,
                concurrency=policy.concurrency if policy is not None else None,
            )
        )

    def _assign(self, fiber: Fiber, code: CallCode, call: Call) -> Any:  # noqa: ANN401 - values of the language
        """Who may do a task."""
        if call.kind != "task" or code.assign is None:
            return None
        if not code.assign_reads_operands:
            return self.value(code.assign, self.inst.frames[fiber.frame])
        return self.value(code.assign, None, self.operands(code, call))

    def _count(self, fiber: Fiber, call: Call) -> None:
        """The time of an attempt begins."""
        policy = call.policy
        if policy is None or (self.program.host_times_attempts and call.kind in TIMED):
            return
        if policy.timeout is not None:
            self.arm(fiber, Timer(self.now + policy.timeout, ERRORS, "timeout"))
        if policy.heartbeat is not None:
            self.arm(fiber, Timer(self.now + policy.heartbeat, ERRORS, "heartbeat"))

    def sent(self, fiber: Fiber) -> None:
        """A call that had to wait has been sent."""
        call = fiber.call
        assert call is not None
        if call.state == "queued":
            call.state = "sent"
            self._count(fiber, call)

    def beat(self, fiber: Fiber, given: Beat) -> None:
        """An attempt is alive."""
        call = fiber.call
        assert call is not None
        policy = call.policy
        if policy is not None and policy.heartbeat is not None and call.state == "sent":
            fiber.due = [timer for timer in fiber.due if timer.what != "heartbeat"]
            self.arm(fiber, Timer(given.at + policy.heartbeat, ERRORS, "heartbeat"))

    def no_timers(self, fiber: Fiber, *what: str) -> None:
        fiber.due = [timer for timer in fiber.due if timer.what not in what]

    def attempt_failed(self, call: Call, frame: Frame, name: str, detail: str) -> None:
        more = {"detail": detail} if detail else {}
        self.note(
            "attempt failed",
            call.path,
            frame,
            operation=call.target,
            error=name,
            attempt=call.attempt,
            call=call.id,
            **more,
        )

    def try_again(self, fiber: Fiber, call: Call, name: str, chance: float) -> bool:
        """Whether there will be another attempt; its pause begins."""
        policy = call.policy
        if policy is None:
            return False
        again = name in policy.only if policy.only else name in RETRIED and name not in policy.excepted
        if not again or (policy.attempts is not None and call.attempt >= policy.attempts):
            return False
        pause = policy.backoff
        try:
            scaled = Decimal(policy.backoff) * Decimal(policy.factor) ** (call.attempt - 1)
            pause = min(int(scaled), policy.max) if scaled.is_finite() else policy.max
        except (ArithmeticError, ValueError):
            pause = policy.max
        taken = int(Decimal(pause) * Decimal(policy.jitter) * Decimal(str(chance))) if policy.jitter else 0
        call.state = "pause"
        self.arm(fiber, Timer(self.now + max(0, pause - taken), WAITS, "pause"))
        return True


def number_of(call: Call) -> int:
    """The number that an answer must carry; rounds of an operator count on."""
    return call.attempt + (call.round - 1) * ROUND


def awaits(call: Call, attempt: int) -> bool:
    """Whether a call waits for the answer of an attempt."""
    return call.state in ("sent", "queued", "stopping") and attempt == number_of(call)


def policy_here(code: PolicyCode, env: Env) -> Policy:
    """A policy with its values at this place; one that reads nothing of it is worked out once."""
    if code.fixed is not None:
        return code.fixed

    def maybe(item: Any) -> Any:  # noqa: ANN401 - code or nothing
        return item(env) if item is not None else None

    attempts = maybe(code.attempts)
    made = Policy(
        name=code.name,
        timeout=maybe(code.timeout),
        overall=maybe(code.overall),
        attempts=max(1, attempts) if attempts is not None else None,
        backoff=code.backoff(env),
        factor=code.factor(env),
        max=code.max(env),
        jitter=maybe(code.jitter),
        only=code.only,
        excepted=code.excepted,
        breaker=(code.breaker[0](env), code.breaker[1](env), code.breaker[2](env))
        if code.breaker is not None
        else None,
        limit=(code.limit[0](env), code.limit[1](env)) if code.limit is not None else None,
        concurrency=maybe(code.concurrency),
        heartbeat=maybe(code.heartbeat),
        exhausted=code.exhausted,
        queue=code.queue if isinstance(code.queue, str) else code.queue(env),
    )
    if code.constant:
        code.fixed = made
    return made
