// The services around an order, simulated: each takes a moment, and some of them have their moods.

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { OrderFulfillmentActivities, Payment } from "./workflows/order-fulfillment.types.js";
import { NotSent, type NodeContext } from "./workflows/wfc-temporal/wfc-worker.js";
import { Decimal, fail } from "./workflows/wfc-runtime/wfc-runtime.js";

const LATENCY = Number(process.env["LATENCY"] ?? 20); // milliseconds
const LIMIT = Decimal.of(1000); // of a card, in euros

/** Remembers what has been done under a key, as a service does that honours it: a second request changes nothing. */
class Ledger<T> {
  readonly #done = new Map<string, T>();

  once(key: string, act: () => T): T {
    const known = this.#done.get(key);
    if (known !== undefined) return known;
    const made = act();
    this.#done.set(key, made);
    return made;
  }
}

/** The outside world. The gateway for payments cannot be reached the first time it is tried for an order. */
export function simulated(): OrderFulfillmentActivities {
  const payments = new Ledger<Payment>();
  const wait = async ({ signal }: NodeContext): Promise<void> => {
    await sleep(LATENCY, undefined, { signal });
  };
  return {
    orders: {
      async validate(order, context: NodeContext) {
        await wait(context);
        if (order.lines.length === 0)
          throw fail({ is: "InvalidOrder", reason: "there is nothing in it" });
      },
    },
    payments: {
      async charge(order, amount, context: NodeContext) {
        if (context.attempt === 1) throw new NotSent("the gateway cannot be reached");
        await wait(context);
        if (amount.compare(LIMIT) > 0)
          throw fail({ is: "CardDeclined", reason: "it is too much for this card" });
        return payments.once(context.key, () => ({ id: `payment of ${order}`, risk: 5 }));
      },
      async refund(_order, context: NodeContext) {
        await wait(context);
      },
    },
    inventory: {
      async check(_lines, context: NodeContext) {
        await wait(context);
        return "Available";
      },
      async reserve(_order, _lines, context: NodeContext) {
        await wait(context);
      },
      async release(_order, context: NodeContext) {
        await wait(context);
      },
      async deduct(_order, context: NodeContext) {
        await wait(context);
      },
    },
    customer: {
      async notify(_email, _text, context: NodeContext) {
        await wait(context);
      },
    },
    warehouse: {
      async weigh(_order, context: NodeContext) {
        await wait(context);
        return Decimal.of("0.2");
      },
    },
    carrier: {
      async book(_order, _transport, _weight, context: NodeContext) {
        await wait(context);
      },
      async recall(_order, context: NodeContext) {
        await wait(context);
      },
    },
    shop: {
      async hold(_order, context: NodeContext) {
        await wait(context);
      },
      async unhold(_order, context: NodeContext) {
        await wait(context);
      },
    },
  };
}
