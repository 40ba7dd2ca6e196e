/** Which step a random walk takes. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Expander } from "./expander.js";

export class RandomSteps {
  readonly #random: ReturnType<typeof xoroshiro128plus>;
  /** Steps of the current state that lead somewhere, by thread. */
  readonly #moves: number[][];

  /** The same seed chooses the same way. */
  constructor(
    readonly expander: Expander,
    seed: number,
  ) {
    this.#random = xoroshiro128plus(seed);
    this.#moves = expander.machine.threads.map(() => []);
  }

  /** One of so many steps of the state that was expanded: first a thread, then one of its steps, each as likely as the next, so that many choices of one thread do not starve the others. -1 if none can move. */
  choose(steps: number): number {
    for (const moves of this.#moves) moves.length = 0;
    for (let step = 0; step < steps; step++) {
      const { next, control } = this.expander.leafOf(step);
      if (next !== null) this.#moves[control.thread]?.push(step);
    }
    const able = this.#moves.filter(({ length }) => length > 0);
    if (able.length === 0) return -1;
    const moves = able[uniformInt(this.#random, 0, able.length - 1)] as number[];
    return moves[uniformInt(this.#random, 0, moves.length - 1)] as number;
  }
}
