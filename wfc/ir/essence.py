"""What a machine says, without what is only told: two machines with one essence do the same.

Left out are comments, places, titles (of an `sla`), reasons, how a condition or trigger is written, the names of files
and modules, and whether the audit is written. The order of definitions is that of their names; states keep theirs. A
policy written in place goes by its content, because its name counts the others.
"""

import json
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

import attrs

from wfc.ir.encode import encode
from wfc.ir.machine import Do, Guard, Machine, PolicyDef, Sla
from wfc.ir.rewrite import rewrite
from wfc.text.value import Value, changed

TOLD = frozenset({"doc", "label", "condition", "groups", "reason", "declared"})  # fields that people read
_SORTED = (
    "records", "enums", "errors", "events", "services", "operations", "policies", "resources", "metrics", "constants",
    "functions",
)  # fmt: skip
V = TypeVar("V")


def bare(item: V) -> V:
    """A value of the machine without what is only told."""
    return rewrite(item, (Value,), _bare)


def _bare(item: Any) -> Any:  # noqa: ANN401 - any class of the machine
    blank: dict[str, Any] = {
        field.name: type(getattr(item, field.name))()
        for field in attrs.fields(type(item))
        if field.name in TOLD and getattr(item, field.name)
    }
    if isinstance(item, Sla) and item.name:
        blank["name"] = ""
    if isinstance(item, Guard):
        blank["id"] = ""  # it is made of what is written
    return changed(item, **blank) if blank else item


def policy_names(machine: Machine) -> dict[str, str]:
    """The policies of a machine, each by a name that does not depend on the others."""
    return {
        policy.name: policy.name if policy.declared else f"in place {_content(policy)}" for policy in machine.policies
    }


def _content(policy: PolicyDef) -> str:
    return fingerprint(bare(changed(policy, name="")))


def resolved(item: V, names: dict[str, str]) -> V:
    """A value without what is only told; its calls name their policies as `policy_names` has it."""
    return rewrite(bare(item), (Do,), partial(_with_policy, names))


def _with_policy(names: dict[str, str], call: Do) -> Do:
    found = names.get(call.policy, call.policy) if call.policy is not None else None
    return call if found == call.policy else changed(call, policy=found)


def essence(machine: Machine) -> Machine:
    """The machine without what is only told."""
    names = policy_names(machine)
    plain = resolved(machine, names)
    policies = {names[policy.name]: changed(policy, name=names[policy.name]) for policy in plain.policies}
    plain = changed(plain, policies=tuple(policies.values()))
    ordered = {name: tuple(sorted(getattr(plain, name), key=lambda item: item.name)) for name in _SORTED}
    ordered["services"] = tuple(changed(s, operations=tuple(sorted(s.operations))) for s in ordered["services"])
    return changed(
        plain,
        **ordered,
        workflows=(*plain.workflows[:1], *sorted(plain.workflows[1:], key=lambda item: item.name)),
        queues=tuple(sorted(plain.queues)),
        secrets=tuple(sorted(plain.secrets, key=lambda item: item[0])),
        module="",
        source="",
        digest="",
        audit=False,
    )


def fingerprint(item: Any) -> str:  # noqa: ANN401 - any class of the machine
    """A digest of a value of the machine, wherever it stands."""
    return sha256(json.dumps(encode(item, places=False), ensure_ascii=False).encode()).hexdigest()[:16]
