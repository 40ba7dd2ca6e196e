/**
 * Verifies a certificate, by nothing but running the model's own code. That its set of states holds the initial one, and that each step
 * out of each of its states leads to one of them, is looked at state by state: so nothing that can happen is missing from the set. What the
 * certificate claims of each property and check has to be what these states and steps show. Nothing is searched, learned or believed.
 */
import { Atomicity } from "../check/atomicity.js";
import { evaluate, failureText, instancesOf, type PropertyInstance, type Question } from "../check/evaluate.js";
import { explainExhaustion } from "../check/exhaustion.js";
import { leaksAtEnd } from "../check/leak.js";
import { LockOrder } from "../check/lockdep.js";
import { describeStuck, isEnd, situationsOf, stuckThreads } from "../check/stuck.js";
import { readCell, type State } from "../state/state.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import type { NativeBlock } from "../step/run.js";
import type { Certificate } from "./certificate.js";
import { StateSet } from "./state-set.js";

/** Where in the set something is: in a state, or in a step out of it. */
export interface Where {
  readonly number: number;
  readonly state: State;
  /** The thread that takes the step, and the state that it leads to unless it ends in a fault; null for the state itself. */
  readonly step: { readonly thread: number; readonly to: State | null } | null;
}

/** Why a certificate is not accepted. */
export interface Refusal {
  readonly message: string;
  /** Null for what is said of the set as a whole. */
  readonly where: Where | null;
}

export interface Verification {
  /** Null if all that the certificate claims is so. */
  readonly refusal: Refusal | null;
  /** States that were looked at, and the steps out of them. */
  readonly states: number;
  readonly steps: number;
  /** States to which no step leads from those before them: there may be more in the set than can happen. */
  readonly unreached: number;
}

/** `placeOf` calls where a thread stands as whoever wrote the certificate did. The machine has run nothing yet. Yields how many states it has looked at. */
export function* verify(
  machine: Machine,
  certificate: Certificate,
  placeOf: (control: Control) => string,
): Generator<number, Verification> {
  const verifier = new Verifier(machine, new StateSet(machine, certificate, placeOf));
  let refusal: Refusal | null = null;
  try {
    yield* verifier.lookAtAll();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    ({ refusal } = error);
  }
  const { states, steps, unreached } = verifier;
  return { refusal, states, steps, unreached };
}

class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message);
  }
}

function refuse(message: string, where: Where | null): never {
  throw new Refused({ message, where });
}

class Verifier {
  states = 0;
  steps = 0;
  unreached = 0;
  readonly #instances: readonly PropertyInstance[];
  readonly #lockOrder = new LockOrder();
  readonly #atomicity = new Atomicity<Where>();
  /** Whether a step from the states before leads there. */
  readonly #isReached: Uint8Array;
  /** Properties that were put to the test, and all that was seen to be violated. */
  readonly #opened = new Set<string>();
  readonly #violated = new Set<string>();
  /** For livelock: by state those that lead to it, and the states in which a behaviour stops. */
  readonly #before = new Map<number, number[]>();
  readonly #stops: number[] = [];

  constructor(
    readonly machine: Machine,
    readonly set: StateSet,
  ) {
    this.#instances = machine.properties.flatMap((property) => instancesOf(property, machine));
    this.#isReached = new Uint8Array(set.count);
  }

  *lookAtAll(): Generator<number, void> {
    const initial = this.set.find(this.machine.initial);
    if (initial < 0) refuse("the initial state is not in the set", null);
    this.#isReached[initial] = 1;
    for (let number = 0; number < this.set.count; number++) {
      yield number;
      const state = this.set.at(number);
      if (state === null) refuse(`in state ${number} a thread stands where no step out of the states before it leads`, null);
      if (this.#isReached[number] === 0) this.unreached++;
      this.#lookAt({ number, state, step: null });
      this.states++;
    }
    if (this.machine.terminates) this.#lookForLivelock();
    for (const { message, first } of this.#atomicity.judge(this.machine.names)) this.#isViolated("atomicity", message, first);
    this.#compareWithClaims();
  }

  #lookAt(where: Where): void {
    const { machine } = this;
    const { number, state } = where;
    this.#ask(["always", "atRest", "sometimes"], { state }, where);
    const canMove = machine.threads.map((_, thread) => {
      const before = this.steps;
      for (const block of machine.blocks(state, thread)) this.#lookAtStep(where, thread, block);
      return this.steps > before;
    });
    const situations = situationsOf(machine, state, canMove);
    const stuck = stuckThreads(situations);
    if (stuck.length > 0) this.#isViolated("stuck", describeStuck(stuck, situations, machine.names), where);
    if (stuck.length > 0 || isEnd(situations)) this.#stops.push(number);
    if (!isEnd(situations)) return;
    this.#ask(["atEnd"], { state }, where);
    if (!machine.terminates) return;
    const read = (cell: number) => readCell(machine.layout, state, cell);
    const controls = situations.map(({ control }) => control);
    for (const { message } of leaksAtEnd(machine, read, controls)) this.#isViolated("leak", message, where);
  }

  #lookAtStep({ number, state }: Where, thread: number, block: NativeBlock): void {
    const { machine } = this;
    this.steps++;
    const to = block.state === null ? null : machine.normalise(block.state);
    const where: Where = { number, state, step: { thread, to } };
    this.#atomicity.note(machine.control(state, thread), block, where);
    for (const { check, message } of block.reports) this.#isViolated(check, message, where);
    this.#lookAtLocks(where, thread, block);
    if (block.fault !== null) {
      const { exhausted } = block.fault;
      const { check, message } = exhausted === undefined ? block.fault : explainExhaustion(machine, state, exhausted);
      this.#isViolated(check, message, where);
      this.#stops.push(number);
    }
    if (to === null) return;
    const next = this.set.find(to);
    if (next < 0) refuse(`a step out of state ${number} leads to a state that is not in the set`, where);
    if (this.#isReached[number] === 1) this.#isReached[next] = 1;
    if (machine.terminates) this.#leadsTo(number, next);
    this.#ask(["onStep"], { state: to, before: state }, where);
    this.#ask(["onReturn"], { state: to, returned: machine.control(to, thread) }, where);
  }

  /** The order in which mutexes are taken: a step waits for one before it does anything else, so that what is held then is what the state says. */
  #lookAtLocks(where: Where, thread: number, { acquisitions }: NativeBlock): void {
    const { layout, names } = this.machine;
    const held = layout.mutexCells.filter((cell) => readCell(layout, where.state, cell) === thread + 1);
    for (const acquisition of acquisitions) {
      for (const cell of held) {
        const cycle = this.#lockOrder.add(cell, acquisition);
        if (cycle !== null) this.#isViolated("lockdep", this.#lockOrder.describe(cycle, names), where);
      }
    }
  }

  #leadsTo(number: number, next: number): void {
    const before = this.#before.get(next);
    if (before === undefined) this.#before.set(next, [number]);
    else before.push(number);
  }

  /** Every state has to have a way to one in which a behaviour stops. */
  #lookForLivelock(): void {
    const ways = new Set(this.#stops);
    // A set is walked in the order in which it grows.
    for (const number of ways) for (const before of this.#before.get(number) ?? []) ways.add(before);
    for (let number = 0; number < this.set.count; number++) {
      const state = ways.has(number) ? null : this.set.at(number);
      if (state !== null) this.#isViolated("livelock", "no end can be reached from here", { number, state, step: null });
    }
  }

  #ask(windows: readonly string[], question: Question, where: Where): void {
    for (const instance of this.#instances) {
      const { property } = instance;
      if (!windows.includes(property.window.kind)) continue;
      const answer = evaluate(instance, this.machine, question);
      const isWitness = property.window.kind === "sometimes";
      if (answer.verdict === "closed" || (isWitness && answer.verdict === "false")) continue;
      this.#opened.add(property.code);
      if (answer.verdict === "false") this.#isViolated(property.code, failureText(property, answer), where);
    }
  }

  #isViolated(check: string, message: string, where: Where): void {
    const claimed = this.set.certificate.claims.verdicts[check];
    if (claimed !== "violated")
      refuse(`${check} is violated, and is claimed ${claimed === "holds" ? "to hold" : "to be vacuous"}: ${message}`, where);
    this.#violated.add(check);
  }

  /** What was violated is known to be claimed so; what is left is what was not. */
  #compareWithClaims(): void {
    const properties = new Set(this.machine.properties.map(({ code }) => code));
    for (const [check, claimed] of Object.entries(this.set.certificate.claims.verdicts)) {
      const isOpen = !properties.has(check) || this.#opened.has(check);
      if (claimed === "violated" && !this.#violated.has(check))
        refuse(`${check} is claimed to be violated, and no state or step of the set does so`, null);
      if (claimed === "holds" && !isOpen) refuse(`${check} is claimed to hold, and is never put to the test`, null);
      if (claimed === "vacuous" && isOpen) refuse(`${check} is claimed to be vacuous, and is put to the test`, null);
    }
  }
}
