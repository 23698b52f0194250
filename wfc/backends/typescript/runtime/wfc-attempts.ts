// Attempts: the key of a call, what is sent, when it is tried again, and when its time is over.

import { numberOf } from "./wfc-base.js";
import { Decimal } from "./wfc-decimal.js";
import type { Frame } from "./wfc-frame.js";
import type { Policy, Send } from "./wfc-host.js";
import { Rank, timer, type Call, type Calling, type Fiber } from "./wfc-state.js";
import { Stops } from "./wfc-stops.js";

const TIMED: readonly string[] = ["activity", "query"]; // a child and a person are not sent through a queue
const RETRIED: readonly string[] = ["Timeout", "Unavailable"];

/** The part of a turn that tries. */
export abstract class Attempts extends Stops {
  /** The key of a call; of one that starts an instance, its id too. */
  keyOf(fiber: Fiber, id: string, call: Call<unknown>, frame: Frame): string {
    const inUndo = fiber.undo !== "";
    const number = inUndo && id === "undo" ? "" : id;
    if (inUndo) {
      const iteration = frame.iteration.slice(fiber.undoDepth).map(String);
      const key = [
        fiber.undo,
        "undo",
        ...[number, ...iteration].filter((part) => part !== ""),
      ].join("/");
      const visit = this.visit(key);
      return visit === 1 || number === "" ? key : `${key}#${String(visit)}`;
    }
    const place = [...(frame.place === "" ? [] : [frame.place]), number, ...frame.iteration].join(
      "/",
    );
    const visit = this.visit(place);
    const own = `${call.name}/${call.key ?? `${place}/${String(visit)}`}`;
    return call.kind === "start" ? own : `${this.host.info.instance}/${own}`;
  }

  /** A round of attempts: the first, and one after each retry of an operator. */
  round(fiber: Fiber, call: Calling): void {
    fiber.due = [];
    call.round += 1;
    call.attempt = 0;
    this.note("called", call.path, fiber.frame, { operation: call.target, key: call.key });
    const overall = call.policy?.overallMs;
    if (overall !== undefined) this.arm(fiber, timer(this.now + overall, Rank.errors, "overall"));
    this.attempt(fiber, call);
  }

  attempt(fiber: Fiber, call: Calling): void {
    call.attempt += 1;
    const { policy, kind, spec } = call;
    const times = this.host.timesAttempts === true;
    const throttled = !times && (policy?.limit !== undefined || policy?.concurrency !== undefined);
    call.state = throttled ? "queued" : "sent";
    if (!throttled) this.#count(fiber, call);
    let { key } = call;
    if (kind === "workflow" || kind === "start" || kind === "undo") key = call.child;
    if (kind === "workflow" && (call.attempt > 1 || call.round > 1)) {
      key = `${key}#${String(this.visit(`${key}#`) + 1)}`;
    }
    this.command({
      kind: "send",
      call: call.id,
      attempt: numberOf(call),
      what: kind,
      target: call.target,
      key,
      args: call.args,
      policy: policy?.name ?? "",
      timeoutMs: policy?.timeoutMs,
      assign: kind === "task" ? spec?.assign : undefined,
      undo: fiber.undo !== "",
      breaker: policy?.breaker,
      limit: policy?.limit,
      concurrency: policy?.concurrency,
      ...(times ? this.#forQueues(fiber, call) : {}),
    });
  }

  /** The time of an attempt begins. */
  #count(fiber: Fiber, { kind, policy }: Calling): void {
    if (this.host.timesAttempts === true && TIMED.includes(kind)) return;
    const { timeoutMs, heartbeatMs } = policy ?? {};
    if (timeoutMs !== undefined)
      this.arm(fiber, timer(this.now + timeoutMs, Rank.errors, "timeout"));
    if (heartbeatMs !== undefined)
      this.arm(fiber, timer(this.now + heartbeatMs, Rank.errors, "heartbeat"));
  }

  /** A call that had to wait has been sent. */
  sent(fiber: Fiber, call: Calling): void {
    if (call.state !== "queued") return;
    call.state = "sent";
    this.#count(fiber, call);
  }

  /** What a host needs that sends through a queue. */
  #forQueues(fiber: Fiber, { kind, policy, spec, path }: Calling): Partial<Send> {
    return {
      heartbeatMs: policy?.heartbeatMs,
      repeatable: fiber.undo !== "" || (spec?.keyed ?? spec === undefined) || kind === "query",
      path,
    };
  }

  /** An attempt is alive. */
  beat(fiber: Fiber, call: Calling): void {
    const heartbeat = call.policy?.heartbeatMs;
    if (heartbeat === undefined || call.state !== "sent") return;
    this.noTimers(fiber, "heartbeat");
    this.arm(fiber, timer(this.now + heartbeat, Rank.errors, "heartbeat"));
  }

  noTimers(fiber: Fiber, ...what: readonly string[]): void {
    fiber.due = fiber.due.filter((each) => !what.includes(each.what));
  }

  attemptFailed(call: Calling, frame: Frame, error: string, detail: string): void {
    const { target: operation, attempt, id } = call;
    const more = detail === "" ? {} : { detail };
    this.note("attempt failed", call.path, frame, { operation, error, attempt, call: id, ...more });
  }

  /** Whether there will be another attempt; its pause begins. */
  tryAgain(fiber: Fiber, call: Calling, error: string, chance: number): boolean {
    const { policy, attempt } = call;
    if (policy === undefined) return false;
    const { only, except, attempts } = policy;
    const again =
      only !== undefined
        ? only.includes(error)
        : RETRIED.includes(error) && except?.includes(error) !== true;
    if (!again || (attempts !== "forever" && attempt >= Math.max(1, attempts))) return false;
    call.state = "pause";
    this.arm(fiber, timer(this.now + pauseOf(policy, attempt, chance), Rank.waits, "pause"));
    return true;
  }
}

/** The pause behind an attempt, exactly: a share of it is taken off by chance. */
function pauseOf(
  { backoffMs, factor, maxMs, jitter }: Policy,
  attempt: number,
  chance: number,
): number {
  const step = Decimal.of(factor);
  let exact = Decimal.of(backoffMs);
  for (let i = 1; i < attempt && exact.compare(Decimal.of(maxMs)) < 0 && i < 10_000; i += 1)
    exact = exact.times(step);
  const pause = Math.min(exact.whole("floor"), maxMs);
  const taken = Decimal.of(pause)
    .times(Decimal.of(jitter))
    .times(Decimal.of(chance))
    .whole("floor");
  return Math.max(0, pause - taken);
}
