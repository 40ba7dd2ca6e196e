/** Checks types in a thread of its own. */
import { Worker } from "node:worker_threads";
import type { TypesAsked, TypesChecked } from "../load/typecheck-worker.js";

export class BackgroundTypes {
  readonly #worker = new Worker(new URL("../load/typecheck-worker.js", import.meta.url));
  readonly #waiting = new Map<number, { resolve: (checked: TypesChecked) => void; reject: (error: Error) => void }>();
  #asked = 0;

  constructor() {
    this.#worker.on("message", (checked: TypesChecked) => {
      this.#waiting.get(checked.number)?.resolve(checked);
      this.#waiting.delete(checked.number);
    });
    this.#worker.on("error", (error: Error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /** Checks the file and all it imports. The path is absolute. */
  check(entry: string): Promise<TypesChecked> {
    const asked: TypesAsked = { number: ++this.#asked, entry, root: process.cwd() };
    const answer = new Promise<TypesChecked>((resolve, reject) => this.#waiting.set(asked.number, { resolve, reject }));
    // Whoever asked may have lost interest by then.
    answer.catch(() => {});
    this.#worker.postMessage(asked);
    return answer;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
