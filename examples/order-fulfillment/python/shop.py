"""The services around an order, in memory: what each has done it prints, and does once for a key."""

import asyncio
import sys
from decimal import Decimal

from wfc.activities import Context, NotSent

from workflows.order_fulfillment_activities import (
    CardDeclined,
    InvalidOrder,
    Line,
    Order,
    OrderFulfillmentActivities,
    OutOfStock,
    Payment,
    Stock,
    Transport,
)

LIMIT = Decimal(1000)  # of a card, in euros


def say(text: str) -> None:
    """Prints beside the run that `wfc run` shows."""
    sys.stderr.write(f"    shop: {text}\n")


class Orders:
    """Looks at orders."""

    def validate(self, order: Order, context: Context) -> None:
        if not order["lines"]:
            raise InvalidOrder(reason="there is nothing in it")


class Payments:
    """A gateway that cannot be reached at the first attempt, to show a retry."""

    def __init__(self) -> None:
        self.done: dict[str, Payment] = {}

    async def charge(self, order: str, amount: Decimal, context: Context) -> Payment:
        if context.attempt == 1:
            raise NotSent("the gateway cannot be reached")
        if amount > LIMIT:
            raise CardDeclined(reason="it is too much for this card")
        if context.key not in self.done:  # what was asked under this key before is not done again
            await asyncio.sleep(0.02)
            self.done[context.key] = {"id": f"payment of {order}", "risk": 5}
            say(f"{amount} EUR charged for {order}")
        return self.done[context.key]

    async def refund(self, order: str, context: Context) -> None:
        say(f"{order} refunded")


class Inventory:
    """Pens there are; lamps are sold out."""

    def __init__(self) -> None:
        self.stock = {"pen": 100, "lamp": 0}
        self.reserved: dict[str, dict[str, int]] = {}

    def check(self, lines: list[Line], context: Context) -> Stock:
        enough = all(self.stock.get(line["sku"], 0) >= line["quantity"] for line in lines)
        return {"is": "Available"} if enough else {"is": "SoldOut"}

    def reserve(self, order: str, lines: list[Line], context: Context) -> None:
        if order in self.reserved:
            return
        wanted = {line["sku"]: line["quantity"] for line in lines}
        if any(self.stock.get(sku, 0) < count for sku, count in wanted.items()):
            raise OutOfStock
        for sku, count in wanted.items():
            self.stock[sku] -= count
        self.reserved[order] = wanted
        say(f"{wanted} reserved for {order}")

    def release(self, order: str, context: Context) -> None:
        for sku, count in self.reserved.pop(order, {}).items():
            self.stock[sku] += count
        say(f"the goods of {order} are on sale again")

    def deduct(self, order: str, context: Context) -> None:
        say(f"the goods of {order} leave the books")


class Customer:
    """Gets messages."""

    async def notify(self, email: str, text: str, context: Context) -> None:
        say(f"to {email}: {text}")


class Warehouse:
    """Picking is a task: a person does it."""

    def weigh(self, order: str, context: Context) -> Decimal:
        return Decimal("0.2")


class Carrier:
    """Brings parcels."""

    def book(self, order: str, transport: Transport, weight: Decimal, context: Context) -> None:
        say(f"{weight} kg of {order} go by {transport['is'].lower()}")

    def recall(self, order: str, context: Context) -> None:
        say(f"the parcel of {order} is recalled")


class Shop:
    """Where customers come for their parcels."""

    def hold(self, order: str, context: Context) -> None:
        say(f"{order} is held for its customer")

    def unhold(self, order: str, context: Context) -> None:
        say(f"{order} is not held any more")


class Activities:
    """An attribute for each service."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.payments = Payments()
        self.inventory = Inventory()
        self.customer = Customer()
        self.warehouse = Warehouse()
        self.carrier = Carrier()
        self.shop = Shop()


activities: OrderFulfillmentActivities = Activities()
