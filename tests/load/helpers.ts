import ts from "typescript";
import type { Local, ModuleRuntime, ProcedureInfo, RuntimeFactory, Site } from "../../src/lang/runtime.js";
import { type InstrumentOptions, instrument, type Safeguards } from "../../src/load/instrument.js";
import { LoadError } from "../../src/load/refusals.js";

/** Stands for a dead local. Reading it through `$rt.use` is the fault that the tests look for. */
export const POISON: unique symbol = Symbol("poison");

export class PoisonFault extends Error {}

/** One procedure of a thread that is stopped: where, and with which locals. */
export interface Frame {
  readonly site: number;
  live: readonly Local[];
}

/** What a thread of the fake engine reports at each stop: its whole control state, outermost procedure first. */
export interface Stop {
  readonly frames: readonly Frame[];
  readonly wait: unknown;
}

export interface FakeRuntime extends ModuleRuntime {
  readonly entered: [number, readonly Local[]][];
  /** Lines of the loops whose bodies were begun. */
  readonly ticks: number[];
  /** Gives the stopped thread the locals of another that stands at the same sites. */
  transplant(frames: readonly Frame[]): void;
}

/** The contract, as plainly as it can be kept, for one thread. */
export function fakeRuntime(): FakeRuntime {
  const entered: [number, readonly Local[]][] = [];
  const ticks: number[] = [];
  const stack: Frame[] = [];
  let resumed: Frame | undefined;
  return {
    entered,
    ticks,
    transplant: (frames) => {
      const own = [...stack, resumed as Frame];
      own.forEach((frame, i) => {
        frame.live = (frames[i] as Frame).live;
      });
    },
    at: (site, live, wait) => {
      resumed = { site, live };
      const stop: Stop = { frames: [...stack, resumed].map((frame) => ({ ...frame })), wait };
      return stop;
    },
    *call(site, live, callee) {
      const frame = { site, live };
      stack.push(frame);
      const result = yield* callee as Generator<unknown, unknown, void>;
      stack.pop();
      resumed = frame;
      return result;
    },
    // A copy of each tuple: identity is not part of the state.
    restored: () => (resumed as Frame).live.map((value) => (Array.isArray(value) ? [...value] : value)),
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
    cover: () => {},
    injected: (_, happens) => happens,
    chosen: (_, choose, what, alternatives) => choose(what, alternatives),
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

/** What model code of the tests can reach besides its parameters: answers from a script, and a log. */
export interface World {
  ask(): number;
  log(...values: readonly unknown[]): void;
}

export interface Thread {
  readonly generator: Generator<unknown, unknown, void>;
  readonly runtime: FakeRuntime;
  readonly output: string[];
  readonly script: number[];
  /** How many answers of the script were used. */
  asked: number;
}

/** A module that can be run many times; each thread gets a world of its own. */
export interface Module {
  start(procedure: string, args: readonly unknown[], script?: readonly number[]): Thread;
}

/** `text` may use `ask()` and `log(...)`. Plain: as TypeScript alone would compile it. */
export function moduleOf(text: string, { plain, ...how }: InstrumentOptions & { plain?: boolean } = {}): Module {
  const js = plain
    ? ts.transpile(text, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS })
    : instrument(text, "model.ts", how).js;
  const body = new Function("exports", "require", "module", "$rt", "$entered", "ask", "log", js);
  return {
    start: (procedure, args, script = []) => {
      const exports: Record<string, Procedure> = {};
      const runtime = fakeRuntime();
      const output: string[] = [];
      const ask = () => thread.script[thread.asked++] ?? 0;
      const log = (...values: unknown[]) => output.push(JSON.stringify(values));
      body(
        exports,
        () => fakeLanguage,
        { exports },
        runtime,
        () => {},
        ask,
        log,
      );
      const thread: Thread = { generator: (exports[procedure] as Procedure)(...args), runtime, output, script: [...script], asked: 0 };
      return thread;
    },
  };
}

/** Runs a thread to its end; the log, with the stops and the result in it. */
export function finish(thread: Thread, limit = 1000): string[] {
  for (let i = 0; i < limit; i++) {
    const { done, value } = thread.generator.next();
    if (done) {
      thread.output.push(`returns ${JSON.stringify(value)}`);
      return thread.output;
    }
    thread.output.push("stops");
    const wait = (value as Stop | undefined)?.frames ? (value as Stop).wait : value;
    const guard = (wait as { guard?: () => unknown } | undefined)?.guard;
    if (guard) thread.output.push(`guard ${JSON.stringify(guard())}`);
  }
  throw new Error("the thread does not end");
}

/** The live names of each site of the text, in source order. */
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
