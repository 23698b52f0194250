"""A codec such as a user names with --codec: here it only turns bytes around."""

from collections.abc import Sequence

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec


class Turned(PayloadCodec):
    """Whoever looks at what is stored reads nothing."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(
                metadata={"encoding": b"binary/turned"}, data=bytes(255 - byte for byte in each.SerializeToString())
            )
            for each in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        found = []
        for each in payloads:
            plain = Payload()
            plain.ParseFromString(bytes(255 - byte for byte in each.data))
            found.append(plain)
        return found
