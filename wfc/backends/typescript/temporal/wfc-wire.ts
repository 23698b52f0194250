// What clients, workflows and activities say to each other over Temporal: plain JSON, as the engine of `wfc run` says it.

import { defineSearchAttributeKey, type SearchAttributePair } from "@temporalio/common";
import type { Sinks } from "@temporalio/workflow";
import { Decimal, type AnyError, type Send } from "../wfc-runtime/wfc-runtime.js";

export const FORMAT = 1; // of what is said to a workflow when it starts

/* What an instance hears. It may have an `id`: then it is taken once, and TAKEN says what has become of it. */
export const EVENT = "wfc.event";
export const OPERATE = "wfc.operate";
export const ANSWER_TASK = "wfc.answer-task";
export const MIGRATE = "wfc.migrate";
export const CHILD = "wfc.child"; // a child has ended, or could not be started
export const STOP = "wfc.stop"; // the parent asks its child to stop
export const UNDO = "wfc.undo"; // the parent asks its completed child to undo itself
export const RELEASE = "wfc.release"; // the parent has ended: its child need keep nothing any more

/* What can be asked of it. */
export const STATUS = "wfc.status";
export const RECORDS = "wfc.records";
export const TAKEN = "wfc.taken";

/** Why a query fails that comes with something new. */
export const TOO_EARLY = "something has just come that no task has taken yet: ask again";

/* Attributes by which instances are found. */
export const KEY = defineSearchAttributeKey("WfcKey", "KEYWORD");
export const WAITS = defineSearchAttributeKey("WfcWaits", "KEYWORD_LIST"); // of `task`, `parked`, `letter`
export const PROCESS = defineSearchAttributeKey("WfcProcess", "KEYWORD");

/** The task queue, unless another one is named. It is not that of `wfc worker`, which runs other code. */
export const QUEUE = "wfc-typescript";

/** What has become of what was told: nothing yet, taken (empty), or refused. */
export type Taken = { readonly reason?: string; readonly text?: string } | null;

/** What waits for a child: the id of a workflow, a call, an attempt. */
export type Parent = readonly [instance: string, call: string, attempt: number];

/** What an instance is started with. */
export interface Begin {
  readonly format: number;
  readonly machine: string;
  readonly workflow: string;
  readonly version: number;
  readonly instance: string;
  readonly key: string | number | null;
  readonly data: unknown;
  readonly parent?: Parent | null;
  readonly stored?: unknown;
  readonly attributes?: boolean;
  readonly simulated?: boolean;
  readonly at?: number;
}

/** An attempt that is to be made. */
export interface Told {
  readonly instance: string;
  readonly target: string;
  readonly key: string;
  readonly call: string;
  readonly attempt: number;
  readonly args: unknown;
  /** The names of the secrets among the arguments, by their place. */
  readonly secrets: Readonly<Record<number, string>>;
  readonly policy: string;
  readonly undo: boolean;
  readonly timeoutMs: number | null;
  /** Whether the activity itself says that it is alive. */
  readonly beats: boolean;
  readonly breaker: Send["breaker"] | null;
  readonly limit: Send["limit"] | null;
  readonly concurrency: number | null;
}

/** How an attempt has ended, as its activity tells it. */
export interface Outcome {
  readonly kind: "value" | "error" | "system" | "cancelled";
  readonly value?: unknown;
  readonly sent?: boolean;
  readonly detail?: string;
}

/** What a child tells its parent. */
export interface ChildEnd {
  readonly id: string;
  readonly call: string;
  readonly attempt: number;
  readonly outcome: Outcome;
  readonly incomplete: boolean;
  /** It can still undo something, and waits until its parent says whether it should. */
  readonly keeps: boolean;
}

/** A fact that is to be told to others. */
export interface Fact {
  readonly type: string;
  readonly data: unknown;
  readonly key: string | number | null;
  readonly from: string;
  /** The workflows that listen to it. */
  readonly listeners: readonly string[];
}

/** What the worker is told while a workflow runs; by it alone nothing is decided. */
export interface Watchers extends Sinks {
  wfc: {
    audit(record: unknown): void;
    deadLetter(instance: string, letter: unknown): void;
    measure(metric: string, value: unknown): void;
  };
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** A value of the language as JSON that tells its form: a Decimal is `{"#": "12.50"}`. */
export function pack(value: unknown): unknown {
  if (value === undefined) return null;
  if (value instanceof Decimal) return { "#": value.toString() };
  if (Array.isArray(value)) return value.map(pack);
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.startsWith("#") ? `#${key}` : key, pack(item)]),
  );
}

/** The value that `pack` wrote. */
export function unpack(given: unknown): unknown {
  if (given === null) return undefined;
  if (Array.isArray(given)) return given.map(unpack);
  if (!isPlain(given)) return given;
  if ("#" in given) return Decimal.read(String(given["#"]));
  return Object.fromEntries(
    Object.entries(given).map(([key, item]) => [key.replace(/^#/, ""), unpack(item)]),
  );
}

/** An error, as people read it in a list. */
export function toldOf(error: AnyError): string {
  const { is, ...fields } = error;
  return Object.keys(fields).length > 0 ? `${is}: ${JSON.stringify(fields)}` : is;
}

/** The attributes by which an instance is found. */
export const attributesOf = ({ key }: Begin, process: string): SearchAttributePair[] => [
  { key: KEY, value: String(key) },
  { key: PROCESS, value: process },
];
