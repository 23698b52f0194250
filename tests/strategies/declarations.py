"""Draws the declarations of a program, each from those before it."""

from dataclasses import replace

from tests.strategies.draws import Draws
from tests.strategies.expressions import Expressions
from tests.strategies.features import Feature
from tests.strategies.model import (
    BASIC,
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    EUR,
    INT,
    TEXT,
    Block,
    Child,
    Event,
    Field,
    Fields,
    Function,
    Item,
    Operation,
    Scope,
    Type,
    World,
    list_of,
    map_of,
    optional,
    params,
)

_NO_DEFAULT = ("Map", "Secret")
_FIRST = (TEXT, INT)
_STANDARD = ("Gateway", "Polite", "Once")


class Declarations:
    """The declarations of one program: their text in `items`, what they mean in `world`."""

    def __init__(self, draws: Draws, features: frozenset[Feature]) -> None:
        self.draws = draws
        self.features = features
        self.world = World()
        self.items: list[Item] = []
        self.imports: tuple[str, ...] = ()
        self.aliases: dict[Type, str] = {}
        self.constants: dict[str, Type] = {}

    def has(self, feature: Feature, one_in: int = 1) -> bool:
        """Whether a construct is switched on, and wanted here."""
        return feature in self.features and (one_in == 1 or self.draws.chance(one_in))

    def run(self) -> None:
        """Everything but the workflows."""
        draws = self.draws
        self._policies_imported()
        if self.has(Feature.ALIAS, 3):
            self._alias()
        for _ in range(draws.number(0, 2)):
            self._enum()
        for _ in range(draws.number(0, 2)):
            self._record()
        for _ in range(draws.number(0, 3)):
            self._error()
        if len(self.world.errors) > 1 and draws.chance(2):
            self._group()
        for _ in range(draws.number(0, 3)):
            self._event()
        for _ in range(draws.number(0, 2) if self.has(Feature.FUNCTION) else 0):
            self._function()
        for _ in range(draws.number(0, 2) if self.has(Feature.CONSTANT) else 0):
            self._constant()
        self._things()
        for _ in range(draws.number(1, 2)):
            self._service()

    def know(self, child: Child) -> None:
        """Makes a workflow known to those after it."""
        self.world = replace(self.world, children=(*self.world.children, child))

    # -- types

    def type(self, *, built: bool = True) -> Type:
        """A type; of values that can be written down, if they must be `built`."""
        draws = self.draws
        named = [Type(name) for name in (*self.world.records, *self.world.enums)]
        base = draws.pick((*BASIC[:5], *named, *BASIC[5:]))
        form = draws.number(0, 7)
        if form == 7:
            return list_of(base)
        if form == 6:
            return optional(base)
        if form == 5 and not built and Feature.MAP in self.features:
            return map_of(base)
        return base

    def fields(self, least: int, most: int, *, built: bool = True, defaults: bool = False) -> Fields:
        """Some fields with distinct names."""
        draws = self.draws
        names = draws.distinct("field", draws.number(least, most))
        return tuple(self._field(name, self.type(built=built), defaults=defaults) for name in names)

    def _field(self, name: str, kind: Type, *, defaults: bool) -> Field:
        default = ""
        if defaults and kind.name not in _NO_DEFAULT and self.has(Feature.DEFAULT, 4):
            default = self.expressions.constant(kind, Scope(self.world))
        mark = "@pii " if self.has(Feature.PERSONAL, 8) else ""
        written = self.aliases.get(kind, "") if self.draws.chance(2) else ""
        return Field(name, kind, default, mark=mark, written=written)

    def parameter(self, name: str, kind: Type) -> Field:
        """A parameter of a workflow."""
        return self._field(name, kind, defaults=True)

    @property
    def expressions(self) -> Expressions:
        return Expressions(self.draws, depth=2)

    def doc(self) -> None:
        """A comment that travels into the outputs, now and then."""
        if self.has(Feature.DOC, 4):
            text = self.draws.raw_text().replace("\n", " ")
            self.items.append(f"/// {text}".rstrip())

    def _alias(self) -> None:
        kind = self.draws.pick((TEXT, INT, EUR, list_of(TEXT)))
        name = self.draws.fresh("type")
        self.aliases[kind] = name
        self.items.append(f"type {name} = {kind}")

    def _enum(self) -> None:
        name = self.draws.fresh("type")
        names = self.draws.distinct("case", self.draws.number(1, 4))
        cases = {case: self.fields(1, 2) if self.draws.chance(3) else () for case in names}
        self.doc()
        written = [f"{case}{params(fields)}" if fields else case for case, fields in cases.items()]
        self.items.append(f"enum {name} {{ {', '.join(written)} }}")
        self.world = replace(self.world, enums={**self.world.enums, name: cases})

    def _record(self) -> None:
        name = self.draws.fresh("type")
        fields = self.fields(1, 4, defaults=True)
        if self.has(Feature.REFINED, 3):
            extra = self.draws.distinct("value", 1)[0]
            fields = (*fields, Field(extra, INT, refined=True))
        self.doc()
        self.items.append(f"record {name} {{ {', '.join(map(str, fields))} }}")
        self.world = replace(self.world, records={**self.world.records, name: fields})

    def _error(self) -> None:
        name = self.draws.fresh("error")
        fields = self.fields(1, 2) if self.draws.chance(2) else ()
        self.items.append(f"error {name}{params(fields) if fields else ''}")
        self.world = replace(self.world, errors={**self.world.errors, name: fields})

    def _group(self) -> None:
        name = self.draws.fresh("error")
        members = tuple(self.world.errors)[:2]
        self.items.append(f"error {name} = {' | '.join(members)}")
        self.world = replace(self.world, groups={**self.world.groups, name: members})

    def _event(self) -> None:
        name = self.draws.fresh("event")
        first = Field(self.draws.pick(("order", "number", "subject")), self.draws.pick(_FIRST))
        fields = (first, *(f for f in self.fields(0, 2) if f.name != first.name))
        mode = self.draws.pick(("", "latest", "transient", "outgoing", "buffered"))
        key = f" key {first.name}" if mode != "outgoing" or self.draws.chance(2) else ""
        self.doc()
        self.items.append(f"event {name}{params(fields)}{key}{' ' + mode if mode else ''}")
        event = Event(name, fields, mode)
        self.world = replace(self.world, events={**self.world.events, name: event})

    # -- values

    def _function(self) -> None:
        names = [self.draws.fresh("value") for _ in range(self.draws.number(1, 2))]
        fields = tuple(Field(name, self.type()) for name in names)
        result = self.type()
        scope = Scope(self.world).bind_all((f.name, f.type) for f in fields)
        body = self.expressions.expression(result, scope)
        name = self.draws.fresh("verb")
        self.doc()
        self.items.append(f"fn {name}{params(fields)} -> {result} = {body}")
        self.world = replace(self.world, functions=(*self.world.functions, Function(name, fields, result)))

    def _constant(self) -> None:
        kind = self.type()
        scope = Scope(self.world, dict(self.constants), constants=frozenset(self.constants))
        value = self.expressions.expression(kind, scope)
        name = self.draws.fresh("value")
        self.items.append(f"const {name}: {kind} = {value}")
        self.constants[name] = kind

    def _things(self) -> None:
        """Queues, policies, resources, metrics, secrets."""
        draws, world = self.draws, self.world
        if draws.chance(2):
            queue = draws.fresh("thing")
            self.items.append(f"queue {queue}")
            world = replace(world, queues=(queue,))
        self.world = world
        for _ in range(draws.number(0, 2) if self.has(Feature.POLICY) else 0):
            self._policy()
        for rank in range(1, 1 + (draws.number(0, 2) if self.has(Feature.LOCK) else 0)):
            self._resource(rank * 10)
        for _ in range(draws.number(0, 2) if self.has(Feature.MEASURE) else 0):
            self._metric()
        if self.has(Feature.SECRET, 4):
            name = draws.fresh("value")
            self.items.append(f"secret {name}: Text")
            self.world = replace(self.world, secrets={name: Type("Secret", (TEXT,))})

    def _resource(self, rank: int) -> None:
        name = self.draws.fresh("thing")
        fields = tuple(Field(n, self.draws.pick(_FIRST)) for n in self.draws.distinct("field", self.draws.number(1, 2)))
        capacity = f" capacity {self.draws.number(2, 5)}" if self.draws.chance(3) else ""
        lease = f" lease {self.draws.pause()}" if self.draws.chance(3) else ""
        self.items.append(f"resource {name}{params(fields)}{capacity} rank {rank}{lease}")
        self.world = replace(self.world, resources=(*self.world.resources, (name, rank, fields)))

    def _metric(self) -> None:
        name, sort = self.draws.fresh("value"), self.draws.pick(("counter", "gauge", "histogram"))
        kind = self.draws.pick((INT, DECIMAL, DURATION, EUR))
        of = "" if kind == INT else f" of {kind}"
        self.items.append(f"metric {name}: {sort}{of}")
        self.world = replace(self.world, metrics=(*self.world.metrics, (name, sort, kind)))

    # -- policies

    def _policies_imported(self) -> None:
        if self.has(Feature.IMPORT, 2):
            self.imports = ("Compensation", "Gateway", "Once", "Patient", "Polite")
            known = {name: name for name in _STANDARD}
            self.world = replace(self.world, policies={**known, "Gateway(2)": "Gateway(attempts: 2)"})

    def _policy(self) -> None:
        draws = self.draws
        name = draws.fresh("type")
        parent = draws.pick(("", *self.world.policies.values())) if draws.chance(2) else ""
        attempts = draws.fresh("value") if draws.chance(3) else ""
        given = f"({attempts}: Int = {draws.number(1, 5)})" if attempts else ""
        items = self.policy_items(attempts or str(draws.number(1, 4)))
        extends = f" extends {parent}" if parent else ""
        self.items.append(Block(f"policy {name}{given}{extends}", tuple(items)))
        self.world = replace(self.world, policies={**self.world.policies, name: name})

    def policy_items(self, attempts: str) -> list[str]:
        """Items of a policy, each at most once."""
        draws = self.draws
        items = [f"try {attempts} times"]
        again = attempts != "1"  # what concerns further attempts would never apply
        if again and draws.chance(2):
            items[0] += f" backoff {draws.pick(('1s', '500ms'))} factor {draws.pick(('2', '1.5'))} max 1m"
        if again and draws.chance(3):
            items[0] += f" jitter {draws.pick(('50%', '0.1'))}"
        if again and self.world.errors and draws.chance(4):
            items[0] += f" {draws.pick(('only', 'except'))} {draws.pick(tuple(self.world.errors))}"
        if draws.chance(2):
            items.append(f"timeout {draws.pick(('10s', '1m'))}{draws.pick(('', ' overall 1h')) if again else ''}")
        if draws.chance(4):
            items.append(draws.pick(("limit 10 per 1s", "concurrency 4", "heartbeat 5s")))
        if self.world.queues and draws.chance(4):
            items.append(f"exhausted then dead letter {draws.pick(self.world.queues)}")
        return items

    # -- services

    def _service(self) -> None:
        draws = self.draws
        name = draws.fresh("thing")
        count = draws.number(1, 4)
        names = draws.distinct("verb", count + 1, frozenset((name,)))
        written: list[str] = []
        operations: list[Operation] = []
        undo = self._undo_operation(name, names[0])
        for operation in names[1:]:
            made, text = self._operation(name, operation, undo)
            operations.append(made)
            written.append(text)
        fields = undo.fields
        policy = f" with Compensation({self._queue()})" if self.imports and draws.chance(2) else ""
        written.append(f"activity {undo.name}{params(fields)}{policy}")
        address = ' at "https://example.com/{x}"' if draws.chance(4) else ""
        default = self._with(4)
        self.doc()
        self.items.append(Block(f"service {name}{address}{default}", tuple(written)))
        self.world = replace(self.world, operations=(*self.world.operations, *operations, undo))

    def _queue(self) -> str:
        return f"queue: {self.world.queues[0]}" if self.world.queues and self.draws.chance(2) else ""

    def _with(self, one_in: int) -> str:
        if self.world.policies and self.has(Feature.POLICY, one_in):
            return f" with {self.draws.pick(tuple(self.world.policies.values()))}"
        return ""

    def _undo_operation(self, service: str, name: str) -> Operation:
        kinds = (TEXT, INT, DATE)
        names = self.draws.distinct("field", self.draws.number(0, 1))
        fields = tuple(Field(n, self.draws.pick(kinds)) for n in names)
        return Operation(service, name, "activity", fields, None, (), undo="unsaid")

    def _operation(self, service: str, name: str, undo: Operation) -> tuple[Operation, str]:
        draws = self.draws
        kinds = ("query", "activity", "activity", "task") if Feature.TASK in self.features else ("query", "activity")
        kind = draws.pick(kinds)
        fields = self.fields(0, 3, defaults=True)
        if self.world.secrets and draws.chance(3):
            (secret,) = draws.distinct("field", 1, frozenset(f.name for f in fields))
            fields = (Field(secret, Type("Secret", (TEXT,))), *fields)
        result = self.type(built=False) if draws.chance(2) else None
        raises = draws.some(tuple(self.world.errors), 2) if Feature.RAISES in self.features else ()
        parts = [f"{kind} {name}{params(fields)}"]
        if result:
            parts.append(f"-> {result}")
        if raises:
            parts.append(f"raises {', '.join(raises)}")
        said, keyed, optional_ = "", False, False
        mark = ""
        if kind == "task":
            parts.append(f"assign {self.assigned(Scope(self.world).bind_all((f.name, f.type) for f in fields))}")
        elif kind == "activity":
            key = self.expressions.key(fields) if draws.chance(2) else ""
            keyed = bool(key)
            if key:
                parts.append(f"key {key}")
            else:
                mark = draws.pick(("@idempotent ", '@idempotent("it asks first") '))
            said, clause = self._undo_clause(fields, undo)
            parts.append(clause)
        if kind != "task":
            parts.append(self._with(3).strip())
            optional_ = said != "irreversible" and self.has(Feature.OPTIONAL, 8)
            if optional_:
                parts.append("optional")
        made = Operation(service, name, kind, fields, result, raises, said, keyed, optional_, kind != "task")
        return made, mark + " ".join(part for part in parts if part)

    def assigned(self, scope: Scope) -> str:
        """Who does a task."""
        texts = scope.by_type.get(TEXT, [])
        who = f"person({self.draws.pick(texts)})" if texts and self.draws.chance(2) else f"role({self.draws.text()})"
        return f'[{who}, role("anybody")]' if self.draws.chance(4) else who

    def _undo_clause(self, fields: Fields, undo: Operation) -> tuple[str, str]:
        draws = self.draws
        if self.has(Feature.PIVOT, 5):
            return "irreversible", f"irreversible {draws.reason()}"
        if draws.chance(2):
            return "none", f"compensate none {draws.reason()}"
        scope = Scope(self.world).bind_all((f.name, f.type) for f in fields if f.type.name != "Secret")
        arguments = self.expressions.arguments(undo.fields, scope, 0)
        when = ""
        if draws.chance(5):
            when = f" when {self.expressions.expression(BOOL, scope)}"
        return "call", f"compensate {undo.name}({arguments}){when}"
