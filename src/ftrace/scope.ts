/** What of a trace the model can say something of: each task's calls, what they are made within, and what is left out and why. */
import { assumedBetween, boundAtFirst } from "./assumed.js";
import { ALLOCATE, type Containers, containersOf, entryOf, type Notified, notifiedDevices, whyNoEntry } from "./entries.js";
import { isOfSecondPart, type Judged, nest } from "./nesting.js";
import type { TraceRecord } from "./record.js";
import { type Facts, factsOf, MAX_ERRNO, MAY_BE_SPLIT, OF_INTEL, ONE_STEP, PROCEDURE_OF, REASONS, TRACEPOINTS } from "./vocabulary.js";

/** A call that a task makes of its own: the model runs the procedure. */
export interface Entry {
  /** As `recordedCalls` of the model names it. */
  readonly call: string;
  readonly facts: Facts;
  /** What it is called for, if that is a device. */
  readonly device: string | null;
}

/** A record that the model has to have an event for. */
export interface Happening {
  /** Position among all of them. */
  readonly index: number;
  readonly record: TraceRecord;
  readonly facts: Facts;
  readonly procedure: string;
  /** Which procedures are probed in its part of the trace. */
  readonly probes: Probes;
  /** Of a call that is within no other, if it is one that tasks make. */
  readonly entry: Entry | null;
  /** Something within the call, or itself, has failed. */
  readonly hasFailed: boolean;
  /** Nobody has recorded that the call returned. */
  readonly isOpen: boolean;
}

/** Which calls and returns of procedures there are records of. */
export interface Probes {
  readonly calls: ReadonlySet<string>;
  readonly returns: ReadonlySet<string>;
}

/** What was not recorded, and has to have happened before a record. */
export interface Assumption {
  /** Index of the happening. */
  readonly before: number;
  readonly entry: Entry;
}

export interface OutOfScope {
  readonly event: string;
  readonly count: number;
  readonly why: string;
}

/** What of the machine decides what is followed. */
export interface Surroundings {
  readonly devices: ReadonlySet<string>;
  /** The number of the bus's first notification, ADD_DEVICE. */
  readonly firstAction: number;
  /** Intel's driver is modelled with its translation structures. */
  readonly followsIntel: boolean;
  /** The driver of a device in the machine's topology, which is of a time when drivers were loaded. */
  readonly driverOf: (device: string) => "native" | "managed" | null;
}

export interface Scope {
  readonly records: number;
  readonly happenings: readonly Happening[];
  /** The same by the task's thread id. */
  readonly tasks: ReadonlyMap<number, readonly Happening[]>;
  readonly assumptions: readonly Assumption[];
  /** What kind of driver is bound to a device before it is first seen. */
  readonly boundAtFirst: (device: string) => "native" | "managed" | null;
  readonly outOfScope: readonly OutOfScope[];
}

/** The records that are followed, in order. */
export function scopeOf(records: readonly TraceRecord[], surroundings: Surroundings): Scope {
  const secondPart = records.findIndex(isOfSecondPart);
  const judged = records.map(
    (record, position): Judged => ({
      record,
      facts: factsOf(record),
      part: position < secondPart ? 0 : 1,
      within: null,
      ends: null,
      why: null,
      inside: [],
    }),
  );
  nest(judged);
  const notified = notifiedDevices(judged, surroundings);
  const containers = containersOf(judged);
  for (const each of judged) each.why = whyNot(each, surroundings, notified, containers);
  const probes = [probesOf(judged, 0), probesOf(judged, 1)] as const;
  const happenings: Happening[] = [];
  const tasks = new Map<number, Happening[]>();
  const left = new Map<string, { event: string; count: number; why: string }>();
  const places = new Map<Judged, number>();
  for (const each of judged) {
    const { record, facts, part, why } = each;
    if (why !== null) {
      const known = left.get(`${record.event} ${why}`);
      if (known) known.count++;
      else left.set(`${record.event} ${why}`, { event: record.event, count: 1, why });
      continue;
    }
    const happening: Happening = {
      index: happenings.length,
      record,
      facts,
      procedure: procedureOf(each),
      probes: probes[part],
      entry: enclosing(each) === null ? entryOf(each, notified, containers, hasTracepointsOnly(probes[part])) : null,
      hasFailed: record.kind === "call" && failed(each),
      isOpen: !each.inside.some(({ ends }) => ends === each),
    };
    places.set(each, happening.index);
    happenings.push(happening);
    const ofTask = tasks.get(record.pid);
    if (ofTask) ofTask.push(happening);
    else tasks.set(record.pid, [happening]);
  }
  return {
    records: records.length,
    happenings,
    tasks,
    assumptions: assumedBetween(judged, places, surroundings, notified),
    boundAtFirst: (device) => boundAtFirst(device, judged, surroundings, notified),
    outOfScope: [...left.values()].sort((one, other) => other.count - one.count),
  };
}

/** Null if the model has something to say of the record. */
function whyNot(each: Judged, surroundings: Surroundings, notified: Notified, containers: Containers): string | null {
  const { record, facts, within, ends } = each;
  if (ends !== null) return ends.why;
  if (within?.why === NO_IOMMU) return NO_IOMMU;
  const isKnown = record.kind === "tracepoint" ? TRACEPOINTS.has(record.event) : PROCEDURE_OF.has(record.event);
  if (!isKnown) return REASONS.find(([pattern]) => pattern.test(record.event))?.[1] ?? "not modelled by that name";
  if (facts.dev !== null && !surroundings.devices.has(facts.dev)) return NO_IOMMU;
  if (OF_INTEL.has(record.event) && !surroundings.followsIntel) return ONE_STEP;
  if (record.event === "iommu_domain_free" && enclosing(each) !== null) return ONE_STEP;
  if (ALLOCATE.has(record.event) && enclosing(each) !== null && !isForType1(each)) return ONE_STEP;
  if (record.kind === "call" && MAY_BE_SPLIT.has(record.event) && Object.keys(record.fields).length === 0) {
    return "a part of the function that a compiler has split, which begins later";
  }
  return whyNoEntry(each, notified, containers);
}

const NO_IOMMU = "of a device behind no IOMMU";

/** The nearest call around the record that is in scope itself. */
function enclosing({ within, ends }: Judged): Judged | null {
  let around = ends ?? within;
  while (around !== null && around.why !== null) around = around.within;
  return around;
}

function procedureOf(each: Judged): string {
  const { kind, event } = each.record;
  if (kind === "tracepoint") return event;
  return ALLOCATE.has(event) && isForType1(each) ? "vfio_iommu_domain_alloc" : (PROCEDURE_OF.get(event) as string);
}

/** It is made right within VFIO's attach of a group. */
function isForType1(each: Judged): boolean {
  const around = enclosing(each.ends ?? each);
  return around !== null && around.record.event === "vfio_iommu_type1_attach_group";
}

function probesOf(judged: readonly Judged[], part: Judged["part"]): Probes {
  const seen = (kind: TraceRecord["kind"]) =>
    new Set(judged.flatMap((each) => (each.why === null && each.part === part && each.record.kind === kind ? [procedureOf(each)] : [])));
  return { calls: new Set([...seen("call"), ...seen("tracepoint")]), returns: seen("return") };
}

/** No call is recorded that is followed. */
function hasTracepointsOnly({ calls }: Probes): boolean {
  return [...calls].every((name) => TRACEPOINTS.has(name));
}

/** A call whose return says so, or within which there is such a call that is followed. */
function failed({ inside }: Judged): boolean {
  const isFailure = ({ facts, record, why }: Judged) =>
    why === null &&
    record.kind === "return" &&
    ((typeof facts.result === "number" && facts.result < 0 && facts.result >= -MAX_ERRNO) ||
      (facts.result === "0x0" && record.fields.rt !== undefined) ||
      facts.vfioIommu === "0x0");
  return inside.some((each) => isFailure(each) || failed(each));
}
