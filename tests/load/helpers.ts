import type { Local, ModuleRuntime, ProcedureInfo, RuntimeFactory, Site } from "../../src/lang/runtime.js";
import { type Instrumented, instrument, type Safeguards } from "../../src/load/instrument.js";
import { LoadError } from "../../src/load/refusals.js";

/** Stands for a dead local. Reading it through `$rt.use` is the fault that the tests look for. */
export const POISON: unique symbol = Symbol("poison");

export class PoisonFault extends Error {}

/** What a thread of the fake engine reports at each stop. */
export interface Stop {
  readonly site: number;
  readonly live: readonly Local[];
  readonly wait: unknown;
}

export interface FakeRuntime extends ModuleRuntime {
  readonly entered: [number, readonly Local[]][];
  readonly ticks: number[];
  /** Sites that `call` went through. */
  readonly calls: Stop[];
}

/**
 * The contract, as plainly as it can be kept: `at` reports, `restored` gives back copies of what was reported.
 * Each procedure's last report is remembered by depth, because a caller resumes after its callee has reported.
 */
export function fakeRuntime(): FakeRuntime {
  const entered: [number, readonly Local[]][] = [];
  const ticks: number[] = [];
  const calls: Stop[] = [];
  let resumed: readonly Local[] = [];
  return {
    entered,
    ticks,
    calls,
    at: (site, live, wait) => {
      resumed = live;
      const stop: Stop = { site, live, wait };
      return stop;
    },
    *call(site, live, callee) {
      calls.push({ site, live, wait: undefined });
      const result = yield* callee as Generator<unknown, unknown, void>;
      resumed = live;
      return result;
    },
    // A copy of each tuple: identity is not part of the state.
    restored: () => resumed.map((value) => (Array.isArray(value) ? [...value] : value)),
    enter: (procedure, parameters) => {
      entered.push([procedure, parameters]);
    },
    tick: (location) => {
      ticks.push(location.line);
    },
    POISON,
    use: (value, name) => {
      if ((value as unknown) === POISON) throw new PoisonFault(name);
      return value;
    },
    sequence: (value) => [...(value as Iterable<Local>)],
    first: (sequence) => ((sequence as Local[]).length > 0 ? 0 : null),
    next: (sequence, cursor) => ((cursor as number) + 1 < (sequence as Local[]).length ? (cursor as number) + 1 : null),
    item: (sequence, cursor) => (sequence as Local[])[cursor as number],
  };
}

export const fakeFactory: RuntimeFactory = (_sites: readonly Site[], _procedures: readonly ProcedureInfo[]) => fakeRuntime();

export type Procedure = (...args: readonly unknown[]) => Generator<unknown, unknown, void>;

export const language = `import { until, idle, mutex_lock } from "iommu-mc";\n`;

export const fakeLanguage = {
  until: (guard: () => boolean) => ({ kind: "until", guard }),
  idle: (guard?: () => boolean) => ({ kind: "idle", guard }),
  mutex_lock: (mutex: unknown) => [{ kind: "lock", mutex }][Symbol.iterator](),
};

export interface Running {
  readonly exports: Record<string, Procedure>;
  readonly runtime: FakeRuntime;
  readonly instrumented: Instrumented;
}

/** Instruments a module and runs its top level against the fake runtime. */
export function run(text: string, safeguards?: Partial<Safeguards>): Running {
  const instrumented = instrument(text, "model.ts", safeguards ? { safeguards } : {});
  const runtime = fakeRuntime();
  const exports: Record<string, Procedure> = {};
  const body = new Function("exports", "require", "module", "$rt", instrumented.js);
  body(exports, () => fakeLanguage, { exports }, runtime);
  return { exports, runtime, instrumented };
}

/** `line: names` for each site of the text, in source order. */
export function liveNames(text: string, safeguards?: Partial<Safeguards>): string[][] {
  return instrument(text, "model.ts", safeguards ? { safeguards } : {}).sites.map((site) => [...site.live]);
}

/** The refusal that instrumenting the text ends in. */
export function refusalOf(text: string): LoadError {
  try {
    instrument(text, "model.ts");
  } catch (error) {
    if (error instanceof LoadError) return error;
    throw error;
  }
  throw new Error("the text was accepted");
}
