// Runs orders: the worker that performs what they ask for. It prints the audit trail, one record a line. End it, or kill
// it, and start it again: every order goes on where it was.

import process from "node:process";
import { fileURLToPath } from "node:url";
import { NativeConnection } from "@temporalio/worker";
import { simulated } from "./activities.js";
import { workerOf } from "./workflows/wfc-temporal/wfc-worker.js";

const say = (about: object): void => {
  process.stdout.write(`${JSON.stringify(about)}\n`);
};

const connection = await NativeConnection.connect({
  address: process.env["TEMPORAL_ADDRESS"] ?? "127.0.0.1:7233",
});
const worker = await workerOf({
  workflowsPath: fileURLToPath(new URL("./processes.js", import.meta.url)),
  activities: simulated(),
  onAudit: say,
  onDeadLetter: (instance, letter) => {
    say({ instance, deadLetter: letter });
  },
  worker: { connection, shutdownGraceTime: "10 seconds" },
});
say({ working: true });
await worker.run();
await connection.close();
