// Runs orders. It listens on this machine only, and prints the audit trail, one record a line.

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { simulated } from "./activities.js";
import { definitions } from "./workflows/order-fulfillment.workflow.js";
import { NodeHost, Refused } from "./workflows/wfc-node/wfc-node.js";

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const LARGEST = 100_000; // characters of a request

const say = (about: object): void => {
  process.stdout.write(`${JSON.stringify(about)}\n`);
};

const host = new NodeHost({
  workflows: definitions,
  activities: simulated(),
  onAudit: say,
  onDeadLetter: (instance, letter) => {
    say({ instance, deadLetter: letter });
  },
});

async function read(request: IncomingMessage): Promise<unknown> {
  let text = "";
  request.setEncoding("utf8");
  for await (const part of request) {
    text += String(part);
    if (text.length > LARGEST) throw new SyntaxError("the request is too long");
  }
  return JSON.parse(text) as unknown;
}

const field = (body: unknown, name: string): unknown =>
  typeof body === "object" && body !== null ? (Reflect.get(body, name) as unknown) : undefined;

const told = (refusal: string | undefined): Reply =>
  refusal === undefined ? { status: 202, body: {} } : { status: 409, body: { refused: refusal } };

async function answer(request: IncomingMessage): Promise<Reply> {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const [, place = "", name = ""] = pathname.split("/");
  switch (`${request.method ?? ""} ${place}`) {
    case "POST orders": {
      const { instance } = await host.startByName("order_fulfillment", {
        order: await read(request),
      });
      return { status: 201, body: { instance } };
    }
    case "POST events":
      return told(await host.event(decodeURIComponent(name), await read(request)));
    case "GET tasks":
      return { status: 200, body: host.tasks };
    case "POST tasks": {
      const body = await read(request);
      return told(await host.answer(String(field(body, "id")), field(body, "value")));
    }
    default:
      return { status: 404, body: { refused: "there is nothing here" } };
  }
}

function refused(error: unknown): Reply {
  if (error instanceof Refused) return { status: 409, body: { refused: error.message } };
  if (error instanceof SyntaxError || error instanceof URIError)
    return { status: 400, body: { refused: error.message } };
  throw error;
}

const server = createServer((request, response) => {
  void answer(request)
    .catch(refused)
    .catch((): Reply => ({ status: 500, body: { refused: "something went wrong here" } }))
    .then(({ status, body }) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
});

const end = (): void => {
  host.stop();
  server.close();
  server.closeAllConnections();
};
process.once("SIGTERM", end);
process.once("SIGINT", end);

server.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  say({ listening: `http://127.0.0.1:${String(port)}` });
});
