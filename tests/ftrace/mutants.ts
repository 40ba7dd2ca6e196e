/** Traces that no kernel made: one that a kernel made, changed in one place by a seed. A validator that takes them sees too little. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { TraceFields, TraceRecord } from "../../src/ftrace/record.js";

/** Which records of a trace are changed. */
export interface MutationScope {
  /** Those that the validator looks at: a change of another shows nothing. */
  readonly inScope: (record: TraceRecord) => boolean;
  /** All that there is of a call that a task makes: of two of these either may be first. */
  readonly isWholeCall: (record: TraceRecord) => boolean;
  /** Functions that run with the group's mutex held. */
  readonly underMutex: ReadonlySet<string>;
}

export interface TraceMutant {
  readonly records: readonly TraceRecord[];
  /** What was done, in words. */
  readonly what: string;
  /** Line of the first record that is not as it was. */
  readonly line: number;
}

/** One way to change a trace: all that it could do, each of which is done only when it is chosen. */
type Mutation = (records: readonly TraceRecord[], scope: MutationScope) => readonly (() => Change)[];

interface Change {
  readonly records: readonly TraceRecord[];
  readonly what: string;
}

/** Ways to change a trace, by name. */
export const MUTATIONS = {
  /** Two records of one task, one right after the other, change places. */
  swap: swaps,
  /** A function returns something else. */
  result: results,
  /** A call that attaches a device is not there, with all that it does. */
  attach: attaches,
  /** A record is of another group. */
  group: groups,
  /** A task goes on under a group's mutex while another holds it. */
  mutex: overlaps,
} satisfies Readonly<Record<string, Mutation>>;

export type MutationName = keyof typeof MUTATIONS;

/** The trace changed in one place, the same by the same seed; null if there is no place for such a change. */
export function mutant(records: readonly TraceRecord[], name: MutationName, seed: number, scope: MutationScope): TraceMutant | null {
  const possible = MUTATIONS[name](records, scope);
  if (possible.length === 0) return null;
  const chosen = possible[uniformInt(xoroshiro128plus(seed), 0, possible.length - 1)] as () => Change;
  const change = chosen();
  // Where none is gone, what happens in the place of a record has its line and time: a trace is in order.
  const isWhole = change.records.length === records.length;
  const changed = isWhole ? change.records.map((record, place) => inPlaceOf(record, records, place)) : change.records;
  const first = changed.findIndex((record, place) => !same(record, records[place]));
  return { records: changed, what: change.what, line: records[first === -1 ? changed.length : first]?.line ?? 0 };
}

function inPlaceOf(record: TraceRecord, records: readonly TraceRecord[], place: number): TraceRecord {
  const { line, seconds } = records[place] as TraceRecord;
  return { ...record, line, seconds };
}

function swaps(records: readonly TraceRecord[], { inScope, isWholeCall }: MutationScope): (() => Change)[] {
  const last = new Map<number, number>();
  return records.flatMap((record, second) => {
    if (!inScope(record)) return [];
    const first = last.get(record.pid);
    last.set(record.pid, second);
    const before = first === undefined ? undefined : records[first];
    if (first === undefined || before === undefined || same(before, { ...record, line: before.line, seconds: before.seconds })) return [];
    if (isWholeCall(before) && isWholeCall(record)) return [];
    return [
      () => ({
        records: records.with(first, record).with(second, before),
        what: `${told(before)} and ${told(record)} of ${record.task} change places`,
      }),
    ];
  });
}

/** What a function returns instead of 0. */
const ERRORS = [-12, -16, -22];

function results(records: readonly TraceRecord[], { inScope }: MutationScope): (() => Change)[] {
  return records.flatMap((record, place) => {
    const name = "ret" in record.fields ? "ret" : "r";
    const result = record.fields[name];
    // A pointer that was printed as a signed number is none that could be another.
    if (record.kind !== "return" || !inScope(record) || typeof result !== "number" || result < -4095) return [];
    return (result === 0 ? ERRORS : [0]).map((other) => () => ({
      records: records.with(place, withFields(record, { [name]: other })),
      what: `${record.event} returns ${other} instead of ${result}`,
    }));
  });
}

function attaches(records: readonly TraceRecord[], { inScope }: MutationScope): (() => Change)[] {
  return records.flatMap((record, call) => {
    if (record.kind !== "call" || record.event !== "__iommu_attach_device" || !inScope(record)) return [];
    const end = returnOf(records, call);
    if (end === null) return [];
    return [
      () => ({
        records: records.filter((each, place) => place < call || place > end || each.pid !== record.pid),
        what: `${told(record)} of ${String(record.fields.dev ?? record.fields.d)} is not there`,
      }),
    ];
  });
}

/** Fields that say which group a record is of, by number. */
const GROUP_IDS = ["gid", "dgid", "groupID", "g"];

function groups(records: readonly TraceRecord[], { inScope }: MutationScope): (() => Change)[] {
  const pointers = new Map<number, string>();
  for (const { fields } of records) {
    const id = groupId(fields);
    if (id !== null && typeof fields.grp === "string" && fields.grp !== "0x0") pointers.set(fields[id] as number, fields.grp);
  }
  return records.flatMap((record, place) => {
    const id = groupId(record.fields);
    if (id === null || !inScope(record)) return [];
    return [...pointers]
      .filter(([other]) => other !== record.fields[id])
      .map(([other, pointer]) => () => ({
        records: records.with(place, withFields(record, { [id]: other, ...("grp" in record.fields ? { grp: pointer } : {}) })),
        what: `${told(record)} is of group ${other} instead of ${String(record.fields[id])}`,
      }));
  });
}

function groupId(fields: TraceFields): string | null {
  return GROUP_IDS.find((name) => typeof fields[name] === "number") ?? null;
}

/** One task's time under a group's mutex, from a call to its return. */
interface Region {
  readonly call: number;
  readonly end: number;
  readonly pid: number;
  readonly group: string;
}

/** How many records may lie between two such times, for what is done in between to be delayed with the rest. */
const NEAR = 400;

/** The end of a task's time under the mutex, and all that the task does from there on, is delayed until another's has begun. */
function overlaps(records: readonly TraceRecord[], { inScope, underMutex }: MutationScope): (() => Change)[] {
  const regions = records.flatMap((record, call): Region[] => {
    const { kind, event, pid, fields } = record;
    if (kind !== "call" || !underMutex.has(event) || !inScope(record) || typeof fields.grp !== "string" || fields.grp === "0x0") return [];
    const end = returnOf(records, call);
    return end === null ? [] : [{ call, end, pid, group: fields.grp }];
  });
  return regions.flatMap((region) => {
    const other = regions.find(({ call, pid, group }) => call > region.end && pid !== region.pid && group === region.group);
    if (other === undefined || other.call - region.end > NEAR) return [];
    return [
      () => {
        const isDelayed = (each: TraceRecord, place: number) => place >= region.end && place <= other.call && each.pid === region.pid;
        const delayed = records.filter(isDelayed);
        const upTo = records.slice(0, other.call + 1).filter((each, place) => !isDelayed(each, place));
        const [one, two] = [records[region.end] as TraceRecord, records[other.call] as TraceRecord];
        return {
          records: [...upTo, ...delayed, ...records.slice(other.call + 1)],
          what: `${told(one)} of ${one.task}-${one.pid} is after ${told(two)} of ${two.task}-${two.pid}, which has the same mutex`,
        };
      },
    ];
  });
}

/** Where the call's return is; null if there is no record of it. Functions that call themselves are none of these. */
function returnOf(records: readonly TraceRecord[], call: number): number | null {
  const { pid, event } = records[call] as TraceRecord;
  for (let place = call + 1; place < records.length; place++) {
    const each = records[place] as TraceRecord;
    if (each.pid === pid && each.event === event) return each.kind === "return" ? place : null;
  }
  return null;
}

function withFields(record: TraceRecord, fields: TraceFields): TraceRecord {
  return { ...record, fields: { ...record.fields, ...fields } };
}

function same(one: TraceRecord, other: TraceRecord | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function told({ kind, event }: TraceRecord): string {
  return kind === "tracepoint" ? event : `the ${kind} of ${event}`;
}
