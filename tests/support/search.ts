/** Breadth-first search over states written as plain values: what the engines' answers are compared with. */

export interface Reached {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Steps to the nearest state that is a goal, or null. */
  readonly goal: number | null;
}

/** `successors` may name a state more than once: each counts as a transition. */
export function search<State>(
  initial: State,
  successors: (state: State) => readonly State[],
  isGoal: (state: State) => boolean = () => false,
): Reached {
  const depthOf = new Map<string, number>([[JSON.stringify(initial), 0]]);
  const queue = [initial];
  let transitions = 0;
  let goal: number | null = null;
  for (const state of queue) {
    const depth = depthOf.get(JSON.stringify(state)) as number;
    if (goal === null && isGoal(state)) goal = depth;
    for (const next of successors(state)) {
      transitions++;
      const key = JSON.stringify(next);
      if (depthOf.has(key)) continue;
      depthOf.set(key, depth + 1);
      queue.push(next);
    }
  }
  return { states: queue.length, transitions, depth: Math.max(...depthOf.values()), goal };
}
