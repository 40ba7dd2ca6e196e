/**
 * A certificate as bytes, which is what is kept and sent: what is claimed of a design under a scenario, and the set of states that
 * shows it (docs/certify.md says what stands where). Whoever reads one trusts nothing that is in it.
 */
import { createHash } from "node:crypto";
import { deflateSync, inflateSync } from "node:zlib";
import { ModelError } from "../lang/errors.js";
import type { Bounds } from "../step/bounds.js";

/** First line of the file. */
const FIRST_LINE = "iommu-mc certificate 1";

export type ClaimedVerdict = "holds" | "violated" | "vacuous";

/** What the certificate is about, and what it claims: the second line of the file. */
export interface Claims {
  /** Version of the tool that wrote it. */
  readonly version: string;
  /** Name of the file of suites it was made of; null for the bundled ones. */
  readonly file: string | null;
  readonly suite: string;
  readonly design: string;
  readonly designVersion: string;
  readonly scenario: string;
  /** Changes to the design, as it calls the commits. */
  readonly revert: readonly string[];
  readonly apply: readonly string[];
  readonly bounds: Bounds;
  /** Digest of all files that the suites were loaded from. */
  readonly models: string;
  /** How many states there are in the set. */
  readonly states: number;
  /** By property and always-on check. */
  readonly verdicts: Readonly<Record<string, ClaimedVerdict>>;
}

/** A number of a state that takes so many bytes in each record, or that is the same in all of them. */
export type Column = { readonly name: string; readonly bytes: number } | { readonly name: string; readonly value: number };

/** How the states are written: the first line of the body. */
export interface Form {
  /** The cells of the layout, in order. */
  readonly cells: readonly Column[];
  /** The threads: where each may stand. A record has the number of the place in that list. */
  readonly threads: readonly { readonly name: string; readonly bytes: number; readonly places: readonly string[] }[];
}

export interface Certificate {
  readonly claims: Claims;
  readonly form: Form;
  /** The states, one record after the other. */
  readonly records: Buffer;
  /** SHA-256 of what it claims and of the set. */
  readonly checksum: string;
  /** What is wrong with it, at a line of the file. */
  readonly damaged: (what: string, line: number) => ModelError;
}

/** Lines of the file, from 1. */
export const CLAIMS_LINE = 2;
const CHECKSUM_LINE = 3;
export const BODY_LINE = 4;

/** Bytes that hold the numbers from 0 to `size` - 1. */
export function bytesFor(size: number): number {
  return size <= 2 ** 8 ? 1 : size <= 2 ** 16 ? 2 : 4;
}

/** Bytes of a state. */
export function recordBytes({ cells, threads }: Form): number {
  const ofCells = cells.reduce((sum, cell) => sum + ("bytes" in cell ? cell.bytes : 0), 0);
  return threads.reduce((sum, { bytes }) => sum + bytes, ofCells);
}

export function certificateBytes(claims: Claims, form: Form, records: Uint8Array): Buffer {
  const line = `${JSON.stringify(claims)}\n`;
  const body = deflateSync(Buffer.concat([Buffer.from(`${JSON.stringify(form)}\n`), records]));
  return Buffer.concat([Buffer.from(`${FIRST_LINE}\n${line}${checksumOf(line, body)}\n`), body]);
}

/** Throws a ModelError, located in the file, if this is no certificate, or not as it was written. */
export function readCertificate(bytes: Buffer, file: string): Certificate {
  const damaged = (what: string, line: number) =>
    new ModelError(what, "Make it again with `iommu-mc certify SUITE --out FILE`.", { file, line, column: 1 });
  const first = bytes.indexOf("\n");
  const second = bytes.indexOf("\n", first + 1);
  const third = bytes.indexOf("\n", second + 1);
  const written = first < 0 ? "" : bytes.toString("utf8", 0, first);
  if (written !== FIRST_LINE) {
    const isOther = written.startsWith(FIRST_LINE.replace(/\d+$/, ""));
    throw damaged(isOther ? `this is a certificate of another form: ${written}` : "this is no certificate of iommu-mc", 1);
  }
  if (second < 0 || third < 0) throw damaged("the certificate is cut off", CLAIMS_LINE);
  const line = bytes.toString("utf8", first + 1, second + 1);
  const body = bytes.subarray(third + 1);
  const checksum = bytes.toString("utf8", second + 1, third);
  if (checksum !== checksumOf(line, body)) throw damaged("the certificate is damaged: its checksum is of other content", CHECKSUM_LINE);
  const claims = parsed(line, isClaims);
  if (claims === null) throw damaged("the certificate does not say what it is about", CLAIMS_LINE);
  const { form, records } = unpacked(body) ?? {};
  if (form === undefined || records === undefined) throw damaged("the certificate does not say how its states are written", BODY_LINE);
  if (records.length !== recordBytes(form) * claims.states)
    throw damaged(`the certificate claims ${claims.states} states, and has not as many`, BODY_LINE);
  return { claims, form, records, checksum, damaged };
}

function checksumOf(line: string, body: Uint8Array): string {
  return createHash("sha256").update(line).update(body).digest("hex");
}

function unpacked(body: Buffer): { readonly form: Form; readonly records: Buffer } | null {
  let content: Buffer;
  try {
    content = inflateSync(body);
  } catch {
    return null;
  }
  const end = content.indexOf("\n");
  const form = end < 0 ? null : parsed(content.toString("utf8", 0, end), isForm);
  return form === null ? null : { form, records: content.subarray(end + 1) };
}

function parsed<T>(text: string, isOne: (value: unknown) => value is T): T | null {
  try {
    const value: unknown = JSON.parse(text);
    return isOne(value) ? value : null;
  } catch {
    return null;
  }
}

// The checksum is no seal: anybody can write one. So nothing is taken for what it ought to be.

function isClaims(value: unknown): value is Claims {
  if (!isRecord(value)) return false;
  const { version, file, suite, design, designVersion, scenario, revert, apply, bounds, models, states, verdicts } = value;
  return (
    [version, suite, design, designVersion, scenario, models].every(isText) &&
    (file === null || isText(file)) &&
    [revert, apply].every((shas) => isListOf(shas, isText)) &&
    isCount(states) &&
    isRecord(bounds) &&
    isCount(bounds.faults) &&
    (bounds.faultPolicy === "contract" || bounds.faultPolicy === "any") &&
    isRecord(verdicts) &&
    Object.values(verdicts).every((verdict) => verdict === "holds" || verdict === "violated" || verdict === "vacuous")
  );
}

function isForm(value: unknown): value is Form {
  if (!isRecord(value)) return false;
  const isColumn = (cell: unknown) => isRecord(cell) && isText(cell.name) && ("bytes" in cell ? isWidth(cell.bytes) : isCount(cell.value));
  const isThread = (thread: unknown) =>
    isRecord(thread) && isText(thread.name) && isWidth(thread.bytes) && isListOf(thread.places, isText) && hasRoom(thread);
  return isListOf(value.cells, isColumn) && isListOf(value.threads, isThread);
}

/** Whether a record can hold the number of each place. */
function hasRoom({ bytes, places }: { readonly bytes?: unknown; readonly places?: unknown }): boolean {
  return bytesFor((places as readonly unknown[]).length) <= (bytes as number);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, isOne: (entry: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isWidth(value: unknown): boolean {
  return value === 1 || value === 2 || value === 4;
}
