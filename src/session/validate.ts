/** Whether the model of Linux explains a recording: from its files to the outcome. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Bindings } from "../ftrace/bindings.js";
import { type Candidate, explain, type Outcome, type Progress } from "../ftrace/explain.js";
import { readTrace } from "../ftrace/read.js";
import type { TraceRecord } from "../ftrace/record.js";
import { openRecording, type Recording } from "../ftrace/recording.js";
import { type Entry, type Scope, type Surroundings, scopeOf } from "../ftrace/scope.js";
import { LostEvents } from "../ftrace/text.js";
import { iommuDriverOf, MANAGED, type RecordedDevice, readTopology } from "../ftrace/topology.js";
import { factsOf } from "../ftrace/vocabulary.js";
import type { Design } from "../lang/design.js";
import { ModelError } from "../lang/errors.js";
import type { Scenario } from "../lang/scenario.js";
import type { StructView } from "../lang/schema.js";
import { Machine } from "../step/machine.js";
import { modelLoader, packageRoot } from "./open.js";

/** What `models/linux/machine/recorded.ts` exports. */
interface RecordedModel {
  readonly recordedCalls: Readonly<Record<string, readonly string[]>>;
  readonly recordedTypes: readonly (string | null)[];
  readonly recordedScenario: (machine: object) => Scenario;
}

/** The model that recordings are compared with, in all its designs. */
interface Loaded extends RecordedModel {
  readonly designs: readonly Design[];
  readonly locate: Machine["locate"];
}

/** A recording, and the model's machine for it. */
export interface Validation {
  /** The file of the trace. */
  readonly trace: string;
  readonly design: Design;
  readonly machine: Machine;
  readonly scope: Scope;
  readonly run: Generator<Progress, Outcome, void>;
  /** From where on the trace is not whole, and nothing was read. */
  readonly lost: LostEvents | null;
}

export interface ValidationOptions {
  /** Of the design; by default the kernel's release decides. */
  readonly design?: string;
  /** Another topology than what is beside the trace. */
  readonly topology?: string;
  /** The most states that may be possible at a time. */
  readonly limit: number;
  /** Commits instead of those that the design includes. */
  readonly commits?: ReadonlySet<string>;
}

/** Everything that is needed to explain the recording at the path: a trace, or a folder with one. Throws a ModelError if it cannot be done. */
export async function openValidation(path: string, options: ValidationOptions): Promise<Validation> {
  return (await openTrials(path, options))();
}

/** The same, to be tried with several sets of commits: each has a run of its own. */
export async function openTrials(path: string, options: ValidationOptions): Promise<(commits?: ReadonlySet<string>) => Validation> {
  const recording = await openRecording(path);
  const records: TraceRecord[] = [];
  let lost: LostEvents | null = null;
  try {
    for await (const record of readTrace(recording.trace)) records.push(record);
  } catch (error) {
    if (!(error instanceof LostEvents)) throw error;
    lost = error;
  }
  const loaded = loadRecordedModel();
  return (commits) => ({ ...validationOf(recording, records, commits === undefined ? options : { ...options, commits }, loaded), lost });
}

function loadRecordedModel(): Loaded {
  const loader = modelLoader();
  const model = loader.load(resolve(packageRoot(), "models/linux/machine/recorded.ts")).exports as unknown as RecordedModel;
  const designs = Object.values(loader.load(resolve(packageRoot(), "models/linux/designs.ts")).exports).filter(isDesign);
  return { ...model, designs, locate: (error) => loader.locate(error) ?? null };
}

/** The same of records that have been read. */
export function validationOf(
  recording: Recording,
  records: readonly TraceRecord[],
  options: ValidationOptions,
  model: Loaded = loadRecordedModel(),
): Omit<Validation, "lost"> {
  const topology =
    options.topology === undefined ? recording.topology : readTopology(readFileSync(options.topology, "utf8"), options.topology);
  if (topology === null) {
    throw new ModelError(
      "there is no topology.json beside the trace",
      "The model needs the machine's devices and groups; `iommu-mc record` writes them down.",
    );
  }
  const base = designOf(model.designs, options.design, recording);
  const design = options.commits === undefined ? base : { ...base, includes: [...options.commits] };
  const machineOf = describe(records, topology, design);
  const { devices, surroundings } = machineOf;
  const scope = scopeOf(records, surroundings);
  const owners = [...new Set(scope.happenings.flatMap(({ facts }) => (facts.claimant === null ? [] : [facts.claimant])))];
  const joining = joiningFirst(scope);
  const isRegistered = !scope.happenings.some(({ record }) => record.event === "iommu_device_register");
  const scenario = model.recordedScenario({
    name: "recorded",
    iommu: machineOf.iommu,
    isRegistered,
    devices: devices.map((each) => {
      const group = isRegistered && !joining.has(each.name) ? each.group : null;
      return { ...each, group, driver: group !== null ? scope.boundAtFirst(each.name) : null };
    }),
    defaultType: defaultTypeOf(records, recording),
    isKdump: machineOf.isKdump,
    releaseDomain: machineOf.iommu !== "spapr_tce" && design.includes.includes("0061ffe289e1"),
    blockable: isRegistered && machineOf.iommu === "intel_legacy" ? blockableAtFirst(scope, devices) : [],
    owners: owners.length,
    tasks: overlapping(scope),
    spare: 12,
  });
  const machine = new Machine(design, scenario, [], {}, model.locate);
  const choices = new Choices(machine, model, owners);
  const run = explain({
    machine,
    scope,
    shared: machineOf.iommu === "spapr_tce" ? new Set() : sharedDomains(records, design),
    choicesOf: (entry, candidate) => choices.of(entry, candidate),
    bindings: initialBindings(machine),
    limit: options.limit,
  });
  return { trace: recording.trace, design, machine, scope, run };
}

function isDesign(value: unknown): value is Design {
  return typeof value === "object" && value !== null && "includes" in value && "schema" in value;
}

/** The design of the kernel's release: the newest that is not newer. */
function designOf(designs: readonly Design[], asked: string | undefined, { release }: Recording): Design {
  const names = designs.map(({ name }) => name).join(", ");
  if (asked !== undefined) {
    const named = designs.find(({ name }) => name === asked);
    if (named !== undefined) return named;
    throw new ModelError(`there is no design ${asked} to validate a recording with`, `There are ${names}.`);
  }
  const version = /^(\d+)\.(\d+)/.exec(release ?? "");
  const named = designs.find(({ name }) => version !== null && name === `linux-${version[1]}.${version[2]}`);
  if (named !== undefined) return named;
  const what = release === null ? "the recording does not say which kernel it is of" : `there is no design of the kernel ${release}`;
  throw new ModelError(what, `Choose one with --design: ${names}.`);
}

/** The kernel's first number of a bus's notifications: since v6.3 they are an enumeration that begins with 0. */
function firstAction({ name }: Design): number {
  const [major = 0, minor = 0] = name.replace(/^\D*/, "").split(".").map(Number);
  return major * 100 + minor >= 603 ? 0 : 1;
}

interface Described {
  readonly iommu: string;
  readonly isKdump: boolean;
  readonly devices: readonly {
    readonly name: string;
    readonly isPresent: boolean;
    readonly group: string | null;
    readonly upstream: string | null;
    readonly secondaryId: string | null;
    readonly aliases: readonly string[];
    readonly groupOfPe: string | null;
  }[];
  readonly surroundings: Surroundings;
}

/** The machine: its topology, and the devices that came later. */
function describe(records: readonly TraceRecord[], topology: readonly RecordedDevice[], design: Design): Described {
  const iommu = iommuDriverOf(topology.map((device) => device.iommu).filter((name) => name !== ""));
  if (iommu === null) throw new ModelError("the topology names no IOMMU that the model knows", "It is in the field iommu of each device.");
  const isKdump = records.some(({ event }) => event === "iommu_deferred_attach");
  // With its translation structures the driver is modelled since v6.1, and without those of a crashed kernel.
  const followsIntel = iommu === "intel_iommu" && design.includes.includes("57365a04c921") && !isKdump;
  const behind = topology.filter(({ group, bus }) => group !== null || bus === "pci");
  const known = new Set(behind.map(({ name }) => name));
  const later = [
    ...new Set(records.flatMap((record) => (record.event === "add_device_to_group" ? (factsOf(record).dev ?? []) : []))),
  ].filter((name) => !known.has(name));
  const driverOf = (name: string) => kindOf(behind.find((device) => device.name === name)?.driver ?? "");
  // On a pSeries a PHB has one PE, and a PCI domain of its own.
  const groupOfPe = (name: string) => {
    const sibling = behind.find((device) => device.group !== null && domainOf(device.name) === domainOf(name));
    return iommu !== "spapr_tce" || sibling === undefined ? null : groupName(sibling.group as number);
  };
  const devices = [
    ...behind.map((device) => {
      const others = behind.filter(({ name, group }) => group !== null && group === device.group && name !== device.name);
      const bridge = others.find(({ isBridge, path }) => isBridge && device.path.startsWith(`${path}/`)) ?? null;
      return {
        name: device.name,
        isPresent: true,
        group: device.group === null ? null : groupName(device.group),
        upstream: bridge?.name ?? null,
        secondaryId: secondaryIdOf(device, behind),
        aliases: bridge === null && !device.isBridge ? others.map(({ name }) => name) : [],
        groupOfPe: groupOfPe(device.name),
      };
    }),
    ...later.map((name) => ({
      name,
      isPresent: false,
      group: null,
      upstream: null,
      secondaryId: null,
      aliases: [],
      groupOfPe: groupOfPe(name),
    })),
  ];
  const surroundings = { devices: new Set([...known, ...later]), firstAction: firstAction(design), driverOf, followsIntel };
  return { iommu: followsIntel ? "intel_legacy" : iommu, isKdump, devices, surroundings };
}

/** `0001` of 0001:00:02.0. */
function domainOf(name: string): string {
  return name.slice(0, name.indexOf(":"));
}

/** Of a bridge that shares its group with what is behind it: a conventional one, whose id DMA from there has. */
function secondaryIdOf({ name, path, group }: RecordedDevice, all: readonly RecordedDevice[]): string | null {
  const behind = all.find((other) => other.name !== name && other.group === group && group !== null && other.path.startsWith(`${path}/`));
  return behind === undefined ? null : behind.name.replace(/[\da-f]{2}\.[0-7]$/, "00.0");
}

function kindOf(driver: string): "native" | "managed" | null {
  if (driver === "") return null;
  return MANAGED.has(driver) ? "managed" : "native";
}

/** The kernel's default type: that of most groups at the start, or that of the first domain a device was attached to for the DMA API. */
function defaultTypeOf(records: readonly TraceRecord[], { groups }: Recording): string {
  const attached = records.flatMap((record) => (record.event === "__iommu_attach_device" ? (factsOf(record).domain?.type ?? []) : []));
  const ofGroups = (groups ?? []).map(({ type }) => typeWritten(type) ?? "").filter(isDefaultType);
  const count = (type: string) => ofGroups.filter((each) => each === type).length;
  return ofGroups.sort((one, other) => count(other) - count(one))[0] ?? attached.find(isDefaultType) ?? "DMA";
}

function isDefaultType(type: string): boolean {
  return ["DMA", "DMA_FQ", "IDENTITY"].includes(type);
}

/** Devices that come into a group before they leave one: these are in none when the recording begins. */
function joiningFirst({ happenings }: Scope): ReadonlySet<string> {
  const first = new Map<string, string>();
  for (const { record, facts } of happenings) {
    if (record.kind === "tracepoint" && facts.dev !== null && !first.has(facts.dev)) first.set(facts.dev, record.event);
  }
  return new Set([...first].flatMap(([name, event]) => (event === "add_device_to_group" ? [name] : [])));
}

/** Groups that have a blocking domain in the first record that says how they stand. */
function blockableAtFirst({ happenings }: Scope, devices: Described["devices"]): string[] {
  return [...new Set(devices.flatMap(({ group }) => group ?? []))].filter((name) => {
    const first = happenings.find(({ facts: { group } }) => group.id !== null && groupName(group.id) === name && group.pointer !== null);
    return first !== undefined && (first.facts.group.domains.blocking_domain ?? "0x0") !== "0x0";
  });
}

/** Calls of tasks that are under way at a time, at most: each from its first record to the last before the task's next. */
function overlapping({ tasks }: Scope): number {
  const ends: (readonly [number, number])[] = [];
  for (const records of tasks.values()) {
    let last: number | null = null;
    for (const { entry, index } of records) {
      if (entry !== null) {
        if (last !== null) ends.push([last + 0.5, -1]);
        ends.push([index, 1]);
      }
      last = entry !== null || last !== null ? index : null;
    }
    if (last !== null) ends.push([last + 0.5, -1]);
  }
  let open = 0;
  let most = 1;
  for (const [, change] of ends.sort(([one], [other]) => one - other)) {
    open += change;
    most = Math.max(most, open);
  }
  return most;
}

/** Domains that a driver has for all its devices: identity and blocking ones, since drivers have these without allocating them. */
function sharedDomains(records: readonly TraceRecord[], design: Design): ReadonlySet<string> {
  if (!design.includes.includes("2031c469f816")) return new Set();
  return new Set(
    records.flatMap((record) => {
      const { domain, newDomain } = factsOf(record);
      return [domain, newDomain].flatMap((each) =>
        each !== null && (each.type === "BLOCKED" || each.type === "IDENTITY") ? [each.pointer] : [],
      );
    }),
  );
}

/** Groups that are there from the start are called after their numbers. */
function initialBindings({ names, layout }: Machine): Bindings {
  const struct = layout.schema.struct("iommu_group");
  let bindings = Bindings.none;
  for (const [slot, name] of (names.objects[struct.number] ?? []).entries()) {
    bindings = bindings.unified("group id", Number(name?.slice(groupName("").length)), struct.view(slot)) ?? bindings;
  }
  return bindings;
}

function groupName(id: number | string): string {
  return `group${id}`;
}

/** How a call is put to the model: as the choices that a recorded task makes. */
class Choices {
  readonly #calls: readonly string[];
  readonly #devices: ReadonlyMap<string, number>;

  constructor(
    { layout, names }: Machine,
    readonly model: RecordedModel,
    readonly owners: readonly string[],
  ) {
    this.#calls = Object.keys(model.recordedCalls);
    const devices = names.objects[layout.schema.struct("device").number] ?? [];
    this.#devices = new Map(devices.map((name, slot) => [String(name), slot]));
  }

  /** Null if the call is for something that is not known. */
  of(entry: Entry, { bindings }: Pick<Candidate, "bindings">): readonly number[] | null {
    const kinds = this.model.recordedCalls[entry.call];
    if (kinds === undefined) throw new Error(`the model has no recorded call ${entry.call}`);
    const places = kinds.map((kind) => this.#place(kind, entry, bindings));
    if (places.includes(undefined)) return null;
    return [this.#calls.indexOf(entry.call), places[0] ?? 0, places[1] ?? 0];
  }

  #place(kind: string, { facts, device }: Entry, bindings: Bindings): number | undefined {
    const { group, domain, vfioIommu, claimant, type } = facts;
    const slot = (view: StructView | undefined) => view?.$index;
    if (kind === "device") return this.#devices.get(device ?? "");
    if (kind === "iommu_domain") return domain === null ? undefined : slot(bindings.get("domain", domain.pointer));
    if (kind === "vfio_iommu") return vfioIommu === null ? undefined : slot(bindings.get("vfio iommu", vfioIommu));
    if (kind === "vfio_group") return claimant === null ? undefined : this.owners.indexOf(claimant);
    if (kind === "type") return this.model.recordedTypes.indexOf(typeWritten(String(type)));
    const byPointer = group.pointer === null ? undefined : bindings.get("group", group.pointer);
    return slot(byPointer ?? (group.id === null ? undefined : bindings.get("group id", group.id)));
  }
}

/** What was written to a `type` file; undefined is no type at all. */
function typeWritten(text: string): string | null {
  const word = text.replace(/\\n|\n/g, "").trim();
  if (word === "auto") return null;
  return { identity: "IDENTITY", DMA: "DMA", "DMA-FQ": "DMA_FQ" }[word] ?? word;
}
