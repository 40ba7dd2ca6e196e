/** Checks types beside the work of the main thread, which need not wait for it. */
import { dirname } from "node:path";
import { parentPort } from "node:worker_threads";
import type { Location } from "../lang/errors.js";
import { LoadError } from "./refusals.js";
import { shownFrom } from "./shown.js";
import { languageEntry, typecheck } from "./typecheck.js";

/** What the worker is asked: to check this file and all it imports. Paths are absolute. */
export interface TypesAsked {
  readonly number: number;
  readonly entry: string;
  readonly root: string;
}

/** What it answers to the question of that number: the model files it read, and the error if there is one. */
export interface TypesChecked {
  readonly number: number;
  readonly files: readonly string[];
  readonly error: { readonly message: string; readonly hint: string; readonly location: Location | null } | null;
}

parentPort?.on("message", (asked: TypesAsked) => {
  parentPort?.postMessage(answer(asked));
});

function answer({ number, entry, root }: TypesAsked): TypesChecked {
  const language = dirname(languageEntry());
  try {
    const { files } = typecheck({ entry, virtual: new Map(), shown: (path) => shownFrom(root, path) });
    return { number, files: files.filter((file) => dirname(file) !== language), error: null };
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    const { message, hint, location } = error;
    return { number, files: [], error: { message, hint, location: location ?? null } };
  }
}
