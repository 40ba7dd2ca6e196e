/** One line of a kernel's trace, whatever the form of the file that it stands in. */
export interface TraceRecord {
  /** Line of the file, from 1. */
  readonly line: number;
  /** Clock of the trace; null where the form of the trace leaves it out. */
  readonly seconds: number | null;
  readonly cpu: number;
  /** The task's name, and its thread id. */
  readonly task: string;
  readonly pid: number;
  readonly kind: TraceKind;
  /** The function of a call or return, without the suffix of a compiler's clone; the tracepoint; `mark`. */
  readonly event: string;
  /** The function that called it, or that it returns to; null where the trace does not tell. */
  readonly caller: string | null;
  /**
   * Arguments and what was read through them, by the names of the probe; `ret` is a function's result, `text` what a mark says.
   * Pointers are texts such as `0xffff8a928430d980`; a result that is an errno is a negative number.
   * Null where there was nothing to read: the state of the group of a device without one.
   */
  readonly fields: TraceFields;
}

export type TraceKind = "call" | "return" | "tracepoint" | "mark";
export type TraceValue = string | number | null;
export type TraceFields = Readonly<Record<string, TraceValue>>;

/** What probes read out of a group. With no group they read what happened to be there: the kernel does not zero it. */
const GROUP_STATE = ["gid", "dgid", "dom", "def", "blk", "ocnt", "owner", "rec"];

/** What probes read out of a domain begins so; the domain itself is `arg_<name>`, or `<name>`. */
const TYPE_OF = "t_";

/** Names of a function's result. */
const RESULTS = ["ret", "r"];

/** The fields as they are to be understood: nothing read through a NULL pointer, an errno signed. */
export function cleanFields(fields: TraceFields): TraceFields {
  const clean: Record<string, TraceValue> = { ...fields };
  if (fields.grp === NULL) for (const name of GROUP_STATE) if (name in clean) clean[name] = null;
  for (const name of Object.keys(fields)) {
    const object = name.slice(TYPE_OF.length);
    if (name.startsWith(TYPE_OF) && (fields[`arg_${object}`] === NULL || fields[object] === NULL)) clean[name] = null;
  }
  for (const name of RESULTS) if (name in clean) clean[name] = signed(clean[name] as TraceValue);
  return clean;
}

const NULL = "0x0";

/** The largest errno, as in `IS_ERR_VALUE()`. */
const MAX_ERRNO = 4095n;

/** An errno that was printed as unsigned, in 32 or 64 bits, decimal or hexadecimal, is a negative number; all else is as it was. */
function signed(value: TraceValue): TraceValue {
  if (value === null || (typeof value === "number" && value < 2 ** 31)) return value;
  if (!/^(?:\d+|0x[\da-f]+)$/i.test(String(value))) return value;
  for (const width of [32n, 64n]) {
    const below = (1n << width) - BigInt(value);
    if (below > 0n && below <= MAX_ERRNO) return -Number(below);
  }
  return value;
}

/** A whole number as a number where that is exact, and otherwise, as the value of a pointer that was printed in decimal, as its digits. */
export function wholeNumber(digits: string): number | string {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits;
}

/** `iommu_probe_device` for `iommu_probe_device.part.0+0x5b/0x250`. */
export function functionName(symbol: string): string {
  return symbol.replace(/\+0x.*$/, "").replace(/\.(?:part|isra|constprop|cold|llvm)\..*$/, "");
}

/** The same of a caller; null where the kernel does not know it, as `[unknown/kretprobe'd]`, or tells an address. */
export function callerName(symbol: string): string | null {
  const name = functionName(symbol);
  return /^[A-Za-z_]\w*$/.test(name) && !/^[\da-f]{16}$/.test(name) ? name : null;
}
