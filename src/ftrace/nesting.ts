/** Which call of a task each of its records is made within. */
import type { TraceRecord } from "./record.js";
import type { Facts } from "./vocabulary.js";

/** A record while it is being judged whether it is followed. */
export interface Judged {
  readonly record: TraceRecord;
  readonly facts: Facts;
  /** 0 for what was recorded early in the boot, with few probes, 1 for the rest. */
  readonly part: 0 | 1;
  /** The call that it is made within; null for none. */
  within: Judged | null;
  /** Of a return, its call, if there is a record of it. */
  ends: Judged | null;
  /** Null for a record that is followed. */
  why: string | null;
  /** Of a call: all up to its return, which is among them. */
  readonly inside: Judged[];
}

/** The names of early probes are one letter long. */
export function isOfSecondPart({ kind, fields }: TraceRecord): boolean {
  return (kind === "call" || kind === "return") && ["grp", "dev", "ret", "nb"].some((name) => name in fields);
}

/** Fills in `within`, `ends` and `inside`. A call whose function's returns nobody has recorded has nothing inside. */
export function nest(judged: readonly Judged[]): void {
  const returning = new Set(judged.flatMap(({ record, part }) => (record.kind === "return" ? [`${part} ${record.event}`] : [])));
  const open = new Map<number, Judged[]>();
  for (const each of judged) {
    const { record, part } = each;
    const calls = open.get(record.pid) ?? [];
    open.set(record.pid, calls);
    if (record.kind === "return") {
      const position = calls.findLastIndex((call) => call.record.event === record.event);
      if (position >= 0) each.ends = calls[position] as Judged;
      if (position >= 0) calls.splice(position);
    }
    each.within = calls.at(-1) ?? null;
    (each.ends ?? each.within)?.inside.push(each);
    if (record.kind === "call" && returning.has(`${part} ${record.event}`)) calls.push(each);
  }
}
