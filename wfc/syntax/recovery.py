"""What happens at a token that the grammar does not expect: say what is wrong, then find a place to go on.

First the mistakes people really make are tried, each with a message and a way on of its own. Else the token is
reported, and tokens are skipped until one that can start a step, clause, node or declaration fits the construct around
(panic mode, as in Aho, Sethi, Ullman, section 4.8, but only at words that begin a line and never out of the block).
"""

from dataclasses import dataclass

from wfc import problems
from wfc.problems.problem import Edit, Fix, Label, Problem
from wfc.syntax.build import Context
from wfc.syntax.nodes import ErrorExpr
from wfc.syntax.reserved import RESERVED
from wfc.syntax.tables import ACTIONS, GOTOS, RULES, SIGNS, WORDS
from wfc.syntax.tokens import END, FIRST_FIXED, INT, NAME, STRING, UNREADABLE, Tokens, is_word, shown

MAX_MISTAKES = 100
MAX_STACK = 600

OPEN, CLOSE, ARROW = SIGNS["{"], SIGNS["}"], SIGNS["->"]
_STEPS = "do settle start let set emit wait parallel for repeat lock choose await undo audit measure done fail".split()
_NODES = ("state", "gateway", "scope")
_GUARDS = ("on", "catch", "after", "at", "every", "var", "view", "sla", "ignore", "compensate")
_TOPS = (
    "type record enum error event service policy resource queue metric secret fn const workflow migration scenario"
).split()
_INNER = (
    "when otherwise branch activity query task timeout try breaker limit concurrency heartbeat exhausted given send"
    " advance operator expect with key"
).split()
_SYNC = {WORDS[word] for word in (*_STEPS, *_NODES, *_GUARDS, *_TOPS, *_INNER)} | {CLOSE, ARROW}
_STEP_TERMS = {WORDS[word] for word in _STEPS}
_NODE_TERMS = {WORDS[word] for word in _NODES}
_GUARD_TERMS = {WORDS[word] for word in _GUARDS}
_TOP_TERMS = {WORDS[word] for word in (*_TOPS, "import", "module")}
_SURE = 6  # so many tokens fit behind a sign that was put in: it is what was meant
_INSERTABLE = tuple(SIGNS[sign] for sign in ("->", ",", ":", ")", "]", "="))


@dataclass(slots=True)
class Stack:
    """The parser's stacks: states, the values of the symbols, and where each symbol begins.

    The value of a sign or word of the grammar is its terminal's number.
    """

    states: list[int]
    values: list[object]
    begins: list[int]

    def cut(self, length: int) -> None:
        """Drops everything above a length."""
        del self.states[length:], self.values[length:], self.begins[length:]


def recover(context: Context, tokens: Tokens, i: int, stack: Stack) -> int | None:
    """Reports the mistake at token i and repairs the stack; answers the token to go on with, or None to give up."""
    context.damaged = True
    loud = i > context.last_mistake + 1 and tokens.starts[i] >= context.quiet_until
    context.last_mistake = max(context.last_mistake, i)
    context.mistakes += 1
    if context.mistakes > MAX_MISTAKES:
        return None
    return _Recovery(context, tokens, i, stack, loud=loud).run()


def accepts(states: list[int], term: int) -> bool:
    """Whether the automaton, in these states, would shift the terminal (after any reductions)."""
    trail = list(states)
    action = ACTIONS[trail[-1]].get(term)
    while action is not None and action < 0:
        origin, length, _, _ = RULES[-1 - action]
        if length:
            del trail[-length:]
        goto = GOTOS[trail[-1]].get(origin)
        if goto is None:
            return term == END
        trail.append(goto)
        action = ACTIONS[trail[-1]].get(term)
    return action is not None or (term == END and len(trail) == 2)  # noqa: PLR2004 - start and the whole file


class _Recovery:
    """One mistake."""

    def __init__(self, context: Context, tokens: Tokens, i: int, stack: Stack, *, loud: bool) -> None:
        self.context = context
        self.tokens = tokens
        self.i = i
        self.stack = stack
        self.loud = loud
        self.term = tokens.terms[i]
        self.start = tokens.starts[i]
        self.end = tokens.ends[i]
        self.text = context.source.text[self.start : self.end]
        self.at = context.span(self.start, self.end)
        self.before = context.span(tokens.ends[i - 1], tokens.ends[i - 1]) if i else self.at

    # -- what is wrong

    def run(self) -> int | None:
        """Tries the known mistakes in order of how sure they are."""
        if self.term == UNREADABLE:
            return self._unreadable()
        for attempt in (
            self._single_equals,
            self._unclosed_brace,
            self._guard_after_step,
            self._step_in_gateway,
            self._nested_state,
            self._missing_sign,
        ):
            answer = attempt()
            if answer is not None:
                return answer
        if self.i and self.tokens.terms[self.i - 1] in _TOP_TERMS and self._column(self.i - 1) == 1:
            return _Recovery(self.context, self.tokens, self.i - 1, self.stack, loud=self.loud).give_up()
        return self.give_up()

    def give_up(self) -> int | None:
        """Says that the token does not fit, and skips."""
        if self.loud:
            expected = tuple(dict.fromkeys(shown(term) for term in self._expected()))
            found = "the end of the file" if self.term == END else f"`{self.text}`"
            hint = self._step_hint()
            self.context.report(problems.UnexpectedToken(at=self.at, found=found, expected=expected, hint=hint))
        return self._panic(self.i)

    def _step_hint(self) -> str:
        """What may be meant by a name where a step is expected."""
        if not accepts(self.stack.states, WORDS["settle"]) or self.term in (END, UNREADABLE):
            return ""
        following = self.tokens.terms[min(self.i + 1, len(self.tokens.terms) - 1)]
        if following in (SIGNS["."], SIGNS["("]):
            return f"to call an operation or a workflow write `do {self.text}...`"
        if following == SIGNS["="]:
            return f"to bind a name write `let {self.text} = ...`, to change a variable `set {self.text} = ...`"
        return ""

    def _expected(self) -> list[int]:
        return [term for term in ACTIONS[self.stack.states[-1]] if term != END and accepts(self.stack.states, term)]

    def _unreadable(self) -> int | None:
        """A character, number or string that is no token: an expression there is taken for read."""
        if self.loud:
            if self.text.startswith('"'):
                self.context.text_open = True
                self.context.report(problems.UnclosedText(at=self.at))
            elif self.text[0].isdigit():
                self.context.report(problems.BadLiteral(at=self.at, text=self.text, kind="number"))
            else:
                self.context.report(problems.UnexpectedCharacter(at=self.at, text=self.text))
        if self.text.startswith('"') and accepts(self.stack.states, STRING):
            self.tokens.terms[self.i] = STRING
            return self.i
        if accepts(self.stack.states, NAME) and not self.text.startswith(("&", "|", ";")):
            self._shift_expression()
        return self.i + 1

    def _shift_expression(self) -> None:
        """Puts an expression that could not be read where one is expected, or else leaves things as they are."""
        atom = next((origin for origin, _, name, _ in RULES if name == "name"), None)
        goto = GOTOS[self.stack.states[-1]].get(atom) if atom is not None else None
        if goto is not None:
            self.stack.states.append(goto)
            self.stack.values.append(ErrorExpr(self.start, self.end))
            self.stack.begins.append(self.start)

    def _single_equals(self) -> int | None:
        """`a = b` where a comparison was meant."""
        if self.term != SIGNS["="] or not accepts(self.stack.states, SIGNS["=="]):
            return None
        fix = Fix("write `==`", (Edit(self.at, "=="),), safe=True)
        self._report(problems.SingleEquals(at=self.at, fixes=(fix,)))
        self.tokens.terms[self.i] = SIGNS["=="]
        return self.i

    def _unclosed_brace(self) -> int | None:
        """A node, a declaration or the end comes while a block is still open."""
        if not (self.term == END or (self._first_on_line() and self.term in _NODE_TERMS | _TOP_TERMS)):
            return None
        opener = self._opener()
        if opener is None or not accepts(self.stack.states, CLOSE):
            return None
        inner_indent = self._indent(self.stack.begins[opener])
        if self.term != END and self._indent(self.start) > inner_indent:
            return None
        place = self.stack.begins[opener]
        at = self.context.span(place, place + 1)
        here = Label(self.at if self.term != END else self.before, "still open here")
        if self.loud and not self.context.text_open:
            self.context.report(problems.UnclosedBrace(at=at, labels=(here,)))
        self._insert(CLOSE)
        self.context.last_mistake = self.i
        return self.i

    def _guard_after_step(self) -> int | None:
        """A guard or a declaration of a region behind its first step."""
        if self.term not in _GUARD_TERMS or not self._first_on_line():
            return None
        opener = self._opener()
        behind = any(accepts(self.stack.states, WORDS[word]) for word in ("settle", "state"))
        if opener is None or not behind:
            return None
        if not accepts(self.stack.states[: opener + 1], self.term):
            return None
        first = self._token_at(self.stack.begins[opener]) + 1
        place = self.context.span(self.tokens.starts[first], self.tokens.ends[first])
        label = Label(place, "guards stand here, before the first step")
        self._report(problems.GuardAfterStep(at=self.at, word=self.text, labels=(label,)))
        return self._panic(self.i + 1)

    def _step_in_gateway(self) -> int | None:
        """A step in a gateway, which only decides."""
        if self.term not in _STEP_TERMS | {ARROW}:
            return None
        opener = self._opener()
        if opener is None or opener < 2 or self.stack.values[opener - 2] != WORDS["gateway"]:  # noqa: PLR2004
            return None
        self._report(problems.StepInGateway(at=self.at, word=self.text))
        return self._skip_in_block(opener)

    def _nested_state(self) -> int | None:
        """A node among the steps of a state or of a block."""
        if self.term not in _NODE_TERMS or not self._first_on_line():
            return None
        if not accepts(self.stack.states, WORDS["settle"]):
            return None
        self._report(problems.NestedState(at=self.at, word=self.text))
        return self._skip_construct(self.i)

    def _missing_sign(self) -> int | None:
        """One sign whose insertion makes this token fit."""
        if self.term in _TOP_TERMS and self._column(self.i) == 1:
            return None
        reached: dict[int, int] = {}
        for sign in _INSERTABLE:
            if sign == ARROW and (self.text in RESERVED or (self.i and self.tokens.terms[self.i - 1] == INT)):
                continue  # `wait 5 minutes` lacks no arrow
            if not accepts(self.stack.states, sign):
                continue
            trial = list(self.stack.states)
            _shift(trial, sign)
            reached[sign] = self._reach(trial)
        far = max(reached.values(), default=0)
        if far <= 1:  # this token alone is a guess
            return None
        signs = [sign for sign, reach in reached.items() if reach == far]
        self._report_missing(signs[0], safe=far == _SURE and len(signs) == 1)
        self._insert(signs[0])
        return self.i

    def _reach(self, states: list[int]) -> int:
        """How many of the next tokens fit in some states."""
        for count in range(_SURE):
            term = self._meant(states, self.i + count)
            if not accepts(states, term):
                return count
            if term == END:
                break
            _shift(states, term)
        return _SURE

    def _meant(self, states: list[int], i: int) -> int:
        """The terminal that a token is in a state: a word of the grammar may be a plain name."""
        term = self.tokens.terms[i]
        if term >= FIRST_FIXED and is_word(term) and term not in ACTIONS[states[-1]]:
            return NAME
        return term

    def _report_missing(self, sign: int, *, safe: bool) -> None:
        text = shown(sign).strip("`")
        lead = " " if text in {"->", "="} else ""
        tail = " " if text == "->" else ""
        place = self.at.first(0) if text == "->" else self.before
        fix = Fix(f"insert `{text}`", (Edit(place, f"{'' if text == '->' else lead}{text}{tail}"),), safe=safe)
        if text == "->":
            self._report(problems.MissingArrow(at=self.at, name=self.text, fixes=(fix,)))
        elif text == ",":
            self._report(problems.MissingComma(at=self.before, fixes=(fix,)))
        else:
            self._report(problems.MissingSign(at=self.before, sign=text, found=self.text, fixes=(fix,)))

    # -- how to go on

    def _report(self, problem: Problem) -> None:
        if self.loud:
            self.context.report(problem)
        self.context.last_mistake = self.i if self.loud else self.context.last_mistake

    def _insert(self, term: int) -> None:
        """Puts a terminal that is not there before this token."""
        tokens = self.tokens
        place = tokens.ends[self.i - 1] if self.i else 0
        tokens.terms.insert(self.i, term)
        tokens.starts.insert(self.i, place)
        tokens.ends.insert(self.i, place)
        self.context.last_mistake += 1

    def _panic(self, i: int) -> int | None:
        """Skips to a token from which the construct around can go on, and drops what was half read."""
        tokens = self.tokens
        depth = 0
        for j in range(i, len(tokens.terms)):
            term = tokens.terms[j]
            if term == END:
                return self._close_all(j)
            if depth == 0 and term in _SYNC and (term == CLOSE or self._may_start(j)) and self._cut_for(term, j):
                self.context.last_mistake = max(self.context.last_mistake, j - 1)
                return j
            if term == OPEN:
                depth += 1
            elif term == CLOSE:
                depth = max(0, depth - 1)
        return None

    def _cut_for(self, term: int, j: int) -> bool:
        """Cuts the stack to where the terminal fits, inside the innermost open block."""
        floor = self._opener()
        if term in _TOP_TERMS and self._column(j) == 1:
            floor = None
        states = self.stack.states
        for length in range(len(states), floor or 0, -1):
            if accepts(states[:length], term):
                self.stack.cut(length)
                return True
        if term == CLOSE and floor is not None:
            self._close_construct(floor)
            self.tokens.terms[j] = WORDS["settle"]  # the brace goes with its construct; a step that says nothing
            return self._cut_for(WORDS["settle"], j)
        return False

    def _close_construct(self, opener: int) -> None:
        """Drops a construct whose block holds nothing that could be read, with the words before its brace."""
        length = opener
        while length > 1 and not any(
            accepts(self.stack.states[:length], term) for term in (WORDS["settle"], WORDS["type"])
        ):
            length -= 1
        self.stack.cut(length)

    def _close_all(self, j: int) -> int | None:
        """At the end: closes what is open, as far as the automaton allows."""
        states = self.stack.states
        for length in range(len(states), 0, -1):
            if accepts(states[:length], END):
                self.stack.cut(length)
                self.context.last_mistake = j
                return j
            if accepts(states[:length], CLOSE):
                self.stack.cut(length)
                self.i = j
                self._insert(CLOSE)
                self.context.last_mistake = j + 1
                return j
        return None

    def _skip_in_block(self, opener: int) -> int | None:
        """Goes on at the next decision of a gateway, or behind its end."""
        tokens = self.tokens
        depth = 0
        decisions = {WORDS[word] for word in ("choose", "await", "parallel")}
        for j in range(self.i + (self.term not in decisions), len(tokens.terms)):
            term = tokens.terms[j]
            if depth == 0 and term in decisions and accepts(self.stack.states[: opener + 1], term):
                self.stack.cut(opener + 1)
                return j
            if depth == 0 and term == CLOSE:
                if accepts(self.stack.states, CLOSE):
                    return j
                self._close_construct(opener)
                return j + 1
            depth += (term == OPEN) - (term == CLOSE)
        return self._close_all(len(tokens.terms) - 1)

    def _skip_construct(self, i: int) -> int:
        """Behind the block that begins after token i."""
        tokens = self.tokens
        depth = 0
        for j in range(i, len(tokens.terms) - 1):
            term = tokens.terms[j]
            depth += (term == OPEN) - (term == CLOSE)
            if term == CLOSE and depth <= 0:
                return j + 1 if depth == 0 else j
        return len(tokens.terms) - 1

    # -- where we are

    def _may_start(self, j: int) -> bool:
        """Whether a word can be meant as the grammar's own: it begins a line, or nothing may be named so."""
        return self.tokens.terms[j] == ARROW or self._first_on_line(j) or self.tokens.terms[j] in _STEP_TERMS

    def _first_on_line(self, j: int | None = None) -> bool:
        start = self.tokens.starts[self.i if j is None else j]
        line = self.context.source.text.rfind("\n", 0, start) + 1
        return not self.context.source.text[line:start].strip()

    def _indent(self, offset: int) -> int:
        """How far the line of an offset is indented."""
        text = self.context.source.text
        line = text[text.rfind("\n", 0, offset) + 1 :].partition("\n")[0]
        return len(line) - len(line.lstrip())

    def _column(self, j: int) -> int:
        return self.context.source.position(self.tokens.starts[j])[1]

    def _opener(self) -> int | None:
        """The place on the stack of the innermost open brace."""
        values = self.stack.values
        places = range(len(values) - 1, 0, -1)
        return next((at for at in places if type(values[at]) is int and values[at] == OPEN), None)

    def _token_at(self, offset: int) -> int:
        return self.tokens.starts.index(offset)


def _shift(states: list[int], term: int) -> None:
    """Shifts a terminal that is accepted, doing the reductions before it."""
    action = ACTIONS[states[-1]][term]
    while action < 0:
        origin, length, _, _ = RULES[-1 - action]
        if length:
            del states[-length:]
        states.append(GOTOS[states[-1]][origin])
        action = ACTIONS[states[-1]][term]
    states.append(action)
