// Starts an order, and waits for its end: node build/start.js ID METHOD PRICE

import process from "node:process";
import { Client, Connection, WorkflowFailedError } from "@temporalio/client";
import type { ShippingMethod } from "./workflows/order-fulfillment.types.js";
import { order_fulfillment } from "./workflows/order-fulfillment.workflow.js";
import { Refused, start } from "./workflows/wfc-temporal/wfc-client.js";
import { Decimal } from "./workflows/wfc-runtime/wfc-runtime.js";

const [id = "o1", method = "Express", price = "3.00"] = process.argv.slice(2);

const connection = await Connection.connect({
  address: process.env["TEMPORAL_ADDRESS"] ?? "127.0.0.1:7233",
});
const lines = [{ sku: "pen", quantity: 2, price: Decimal.of(price) }];
const order = { id, email: "ann@example.com", method: method as ShippingMethod, lines };
try {
  const terms = { process: "order-fulfillment" };
  const handle = await start(new Client({ connection }), order_fulfillment, { order }, terms);
  process.stdout.write(`${handle.workflowId} has begun\n`);
  process.stdout.write(`${JSON.stringify(await handle.result())}\n`);
} catch (error) {
  if (!(error instanceof Refused || error instanceof WorkflowFailedError)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await connection.close();
}
