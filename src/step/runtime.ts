/** `$rt`: what instrumented modules call, implemented on the run in progress. */

import { context } from "../lang/context.js";
import { type Location, ModelError } from "../lang/errors.js";
import type { Local, ModuleRuntime, RuntimeFactory, Site } from "../lang/runtime.js";
import { ListView, SetView } from "../lang/schema.js";
import { activeRun, isRunning } from "./run.js";

const POISON: unique symbol = Symbol("a local that is dead here");

export const createRuntime: RuntimeFactory = (sites, procedures, firstPoint): ModuleRuntime => ({
  POISON,
  at: (site, live, wait) => activeRun().at(sites[site] as Site, live, wait),
  call: (site, live, callee) => activeRun().call(sites[site] as Site, live, callee),
  restored: () => activeRun().restored(),
  enter(procedure, parameters) {
    const info = procedures[procedure];
    if (info) activeRun().enter(info, parameters);
  },
  tick(location: Location) {
    // Plain helper functions of model files are also called from setups and properties, where no run is active.
    if (context().isStep) activeRun().tick(location);
  },
  use(value, name) {
    if ((value as unknown) === POISON) {
      throw new ModelError(
        `local "${name}" is used although the liveness analysis says it is dead`,
        "This is a defect of the checker, not of the model; please report it with the model.",
      );
    }
    return value;
  },
  sequence(value) {
    if (value instanceof ListView || value instanceof SetView) return value;
    if (Array.isArray(value)) return value;
    throw new ModelError("for…of over something that cannot be walked across a yield", "Walk a list, a set or an array.");
  },
  first(sequence) {
    if (sequence instanceof ListView) return sequence.at(0);
    if (sequence instanceof SetView) return memberFrom(sequence, 0);
    return (sequence as readonly Local[]).length > 0 ? 0 : null;
  },
  next(sequence, cursor) {
    if (sequence instanceof ListView) {
      // The way to the next entry is in the current one.
      context().touch(cursor as never);
      const entries = [...sequence];
      const position = entries.indexOf(cursor as never);
      if (position < 0) return context().fault("use-after-free", "the current entry of a list walk was removed under it");
      return entries[position + 1] ?? null;
    }
    if (sequence instanceof SetView) return memberFrom(sequence, (cursor as { $index: number }).$index + 1);
    return (cursor as number) + 1 < (sequence as readonly Local[]).length ? (cursor as number) + 1 : null;
  },
  cover(point) {
    // Functions of model files are also called by setups and properties: that exercises nothing.
    if (isRunning()) activeRun().covered.add(firstPoint + point);
  },
  injected(point, happens) {
    if (happens) activeRun().covered.add(firstPoint + point);
    return happens;
  },
  chosen(first, choose, what, alternatives) {
    const taken = choose(what, alternatives);
    activeRun().covered.add(firstPoint + first + alternatives.indexOf(taken));
    return taken;
  },
  item(sequence, cursor) {
    return Array.isArray(sequence) ? (sequence[cursor as number] as Local) : cursor;
  },
});

function memberFrom(set: SetView, slot: number): Local {
  for (const member of set) if (member.$index >= slot) return member;
  return null;
}
