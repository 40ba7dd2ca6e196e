/**
 * The TypeScript compiler, loaded only when something has to be compiled: it takes half a second to start,
 * and a run whose models are all in the cache never needs it. Call `useTypescript` before touching `ts`.
 */
import { createRequire } from "node:module";
import type tsNamespace from "typescript";

type TypeScript = typeof tsNamespace;

const requireHere = createRequire(import.meta.url);

export let ts: TypeScript;

export function useTypescript(): void {
  ts ??= requireHere("typescript") as TypeScript;
}

/** Known without loading the compiler: it is part of every cache key. */
export function typescriptVersion(): string {
  return (requireHere("typescript/package.json") as { version: string }).version;
}
