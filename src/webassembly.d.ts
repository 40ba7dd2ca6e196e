/** What is used here of WebAssembly, which the types of Node 20 leave out. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    constructor(size: { initial: number; maximum: number; shared: boolean });
    readonly buffer: SharedArrayBuffer;
    /** By so many pages of 64 KB; throws a `RangeError` if there is no room. */
    grow(pages: number): number;
  }
}
