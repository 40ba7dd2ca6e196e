/**
 * `--paranoid`: every state that is expanded is expanded once more, natively, each thread by both of the ways to
 * its control state that are known, and every property is asked natively. What the rules said has to be the same.
 * A difference is state that hides from the checker, or a defect of the checker itself.
 */
import { evaluate, type PropertyInstance, type Question } from "../check/evaluate.js";
import { isEnd, situationsOf } from "../check/stuck.js";
import { ModelError } from "../lang/errors.js";
import { get, type Place } from "../state/packing.js";
import type { State } from "../state/state.js";
import type { Control } from "../step/control.js";
import type { NativeBlock } from "../step/run.js";
import type { FastRun } from "./fast-run.js";

/** Compares the state that the run has just expanded; returns how many transitions were run natively. */
export function compareNatively(run: FastRun, depth: number, steps: number): number {
  const state = run.learner.packing.unpack(run.expander.current);
  const compared = compareSteps(run, state, steps, depth, false) + compareSteps(run, state, steps, depth, true);
  compareProperties(run, state, depth, steps);
  return compared;
}

/** The steps of all threads, in canonical order; with `second`, of those threads to whose control state a second way is known. */
function compareSteps(run: FastRun, state: State, steps: number, depth: number, second: boolean): number {
  const { machine } = run;
  let ordinal = 0;
  let compared = 0;
  for (const thread of machine.threads.keys()) {
    const control = machine.control(state, thread);
    const differs = (what: string) => difference(run, what, control);
    if (second && control.secondWitness === null) {
      while (ordinal < steps && run.expander.leafOf(ordinal).control === control) ordinal++;
      continue;
    }
    for (const block of machine.blocks(state, thread, second ? { otherThan: { cameBy: control.witness, code: null } } : {})) {
      if (ordinal >= steps || run.expander.leafOf(ordinal).control !== control) throw differs("it has a step that no rule knows");
      const what = stepDifference(run, block, ordinal++);
      if (what !== null) throw differs(what);
      if (block.state !== null) compareStepProperties(run, state, block, depth);
      compared++;
    }
    if (ordinal < steps && run.expander.leafOf(ordinal).control === control) throw differs("it lacks a step that a rule knows");
  }
  return compared;
}

/** How the block differs from the rule of the step, in words; null if it does not. */
function stepDifference(run: FastRun, block: NativeBlock, ordinal: number): string | null {
  const leaf = run.expander.leafOf(ordinal);
  const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  if (!same(block.fault, leaf.block.fault))
    return `it ends in ${block.fault?.message ?? "no fault"}, not in ${leaf.block.fault?.message ?? "none"}`;
  if (!same(block.reports, leaf.block.reports)) return "it reports other things";
  if (!same(block.acquisitions, leaf.block.acquisitions)) return "it takes other locks";
  if (block.next !== leaf.next) return "it goes on elsewhere, or with other values in its locals";
  if (block.state === null) return null;
  run.expander.apply(ordinal);
  const { packing } = run.learner;
  const natively = packing.pack(run.machine.normalise(block.state));
  if (run.expander.next.every((word, position) => word === natively[position])) return null;
  const { names, layout } = run.machine;
  const cell = layout.cells.findIndex((_, number) => {
    const place = packing.cells[number] as Place;
    return get(run.expander.next, place) !== get(natively, place);
  });
  const value = (words: Uint32Array) => names.code(cell, get(words, packing.cells[cell] as Place));
  return `it leaves ${names.cell(cell)} = ${value(natively)}, not ${value(run.expander.next)}`;
}

/** What the properties say of the state itself must be in the book of findings already, whether it was asked here or known before. */
function compareProperties(run: FastRun, state: State, depth: number, steps: number): void {
  const { machine } = run;
  const movers = new Set(Array.from({ length: steps }, (_, step) => run.expander.leafOf(step).control.thread));
  const atEnd = isEnd(
    situationsOf(
      machine,
      state,
      machine.threads.map((_, thread) => movers.has(thread)),
    ),
  );
  for (const { instance } of run.learner.instances) {
    const { kind } = instance.property.window;
    if (kind === "onStep" || kind === "onReturn" || (kind === "atEnd" && !atEnd)) continue;
    compareAnswer(run, instance, { state }, depth);
  }
}

function compareStepProperties(run: FastRun, before: State, block: NativeBlock, depth: number): void {
  const state = run.machine.normalise(block.state as State);
  for (const { instance } of run.learner.instances) {
    const { window } = instance.property;
    if (window.kind === "onStep") compareAnswer(run, instance, { state, before }, depth + 1);
    if (window.kind === "onReturn" && block.next?.returned?.procedure === window.procedure) {
      compareAnswer(run, instance, { state, returned: block.next }, depth + 1);
    }
  }
}

function compareAnswer(run: FastRun, instance: PropertyInstance, question: Question, depth: number): void {
  const { property } = instance;
  const { verdict } = evaluate(instance, run.machine, question);
  if (verdict === "closed") return;
  const isWitness = property.window.kind === "sometimes";
  const isKnown = verdict === "false" && !isWitness ? run.judge.book.isSettled(property, depth + 1) : run.judge.book.opened.has(property);
  if (isKnown || (isWitness && verdict === "false")) return;
  throw new ModelError(
    `property ${property.code}, asked natively, is ${verdict} in a state or step of which its rules do not say so`,
    "A property's answer must follow from the state alone: look for data kept outside it. If there is none, this is a defect of the checker; please report it with the model.",
  );
}

function difference({ machine }: FastRun, what: string, control: Control): ModelError {
  const site = control.frames.at(-1)?.site;
  return new ModelError(
    `hidden state: run natively${site ? ` from ${site.procedure}` : ""}, thread ${machine.names.threads[control.thread]} does not do what its rules say: ${what}`,
    "A block's behaviour must follow from the state it reads and the choices it makes: look for data kept outside the state, in objects at module level. If there are none, this is a defect of the checker; please report it with the model.",
    site?.location,
  );
}
