import type { Schema, View } from "./schema.js";

/**
 * What a predicate says of one instance: true or false; `null` if the property does not apply there (a
 * property that never applies is *vacuous*, not held); or named conjuncts, so that a report can say which failed.
 */
export type Judgement = boolean | null | Readonly<Record<string, boolean>>;

/** Read access to the whole state: `state.all("device")` are the objects of that struct that exist. */
export interface StateView<Sc extends Schema> {
  all<K extends keyof Sc["declaration"] & string>(struct: K): readonly View<Sc, K>[];
}

/** When a property is asked. See the functions of `windows`. */
export type Window =
  | { readonly kind: "always" | "atEnd" | "sometimes"; readonly over: string | null; readonly holds: Predicate }
  | { readonly kind: "atRest"; readonly over: string; readonly lock: string; readonly holds: Predicate }
  | { readonly kind: "onReturn"; readonly procedure: string; readonly holds: Predicate }
  | { readonly kind: "onStep"; readonly over: string | null; readonly holds: Predicate };

/** Predicates are stored untyped; the window functions below are what types them. */
// biome-ignore lint/suspicious/noExplicitAny: each window passes its own parameters, checked where the window is made.
export type Predicate = (...parameters: any[]) => Judgement;

/** The windows of a schema, typed by it: `const { always, atRest, onReturn } = windows(linux)`. */
export function windows<Sc extends Schema>(_schema: Sc) {
  type Struct = keyof Sc["declaration"] & string;
  type State = StateView<Sc>;

  /** In every reachable state, for every object of the struct. */
  function always<K extends Struct>(over: K, holds: (instance: View<Sc, K>, state: State) => Judgement): Window {
    return { kind: "always", over, holds };
  }

  /** In every reachable state in which the object's mutex (or the one a path of refs leads to) is free. */
  function atRest<K extends Struct>(over: K, lock: string, holds: (instance: View<Sc, K>, state: State) => Judgement): Window {
    return { kind: "atRest", over, lock, holds };
  }

  /**
   * Each time the procedure returns, in the very state of the return: `holds([group, owner], ret, state)`.
   * Watching a procedure makes its return a preemption point and keeps its parameters.
   */
  function onReturn<Parameters extends readonly unknown[], Result>(
    procedure: string,
    holds: (parameters: Parameters, result: Result, state: State) => Judgement,
  ): Window {
    return { kind: "onReturn", procedure, holds };
  }

  /**
   * Across every step that changes something the predicate reads. `before(f)` reads in the state before the
   * step; everything else reads the state after it.
   */
  function onStep<K extends Struct>(
    over: K,
    holds: (instance: View<Sc, K>, before: <T>(read: () => T) => T, state: State) => Judgement,
  ): Window {
    return { kind: "onStep", over, holds };
  }

  /**
   * In every end: each thread has finished, or rests at an `idle()`, or at an `idle(condition)` whose condition is
   * not true. `atEnd("group", (group) => …)` asks for every object of the struct, `atEnd((state) => …)` once.
   * A run that reaches no end leaves the property vacuous.
   */
  function atEnd<K extends Struct>(over: K, holds: (instance: View<Sc, K>, state: State) => Judgement): Window;
  function atEnd(holds: (state: State) => Judgement): Window;
  function atEnd(over: Struct | ((state: State) => Judgement), holds?: Predicate): Window {
    if (typeof over === "function") return { kind: "atEnd", over: null, holds: (_: null, state: State) => over(state) };
    return { kind: "atEnd", over, holds: holds as Predicate };
  }

  /** A witness: some reachable state has some object for which it is true. Never seen means the run is vacuous. */
  function sometimes<K extends Struct>(over: K, holds: (instance: View<Sc, K>, state: State) => Judgement): Window {
    return { kind: "sometimes", over, holds };
  }

  return { always, atRest, onReturn, onStep, atEnd, sometimes };
}

/** A claim about the state or about steps. It never sees a program counter. */
export interface Property {
  /** Code of the catalogue: `C1`. */
  readonly code: string;
  /** The claim in one sentence. */
  readonly sentence: string;
  /** Where kernel developers say so: function, commit, thread. */
  readonly source: string;
  /** The mutant or real bug that turns it red. */
  readonly seenRedBy: string;
  readonly window: Window;
}

/** Declares a property. */
export function property(declaration: Property): Property {
  return declaration;
}
