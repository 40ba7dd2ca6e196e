/** The findings of a run in the making, and the verdicts that follow from them. */
import type { Location } from "../lang/errors.js";
import type { Property } from "../lang/property.js";
import type { CheckResult, End, ExploreOptions, ResultVerdict } from "./outcome.js";
import { checksOf } from "./outcome.js";

/** Where in the state graph something was found: in a state, or in the step with that ordinal out of it. */
export interface Occurrence {
  readonly state: number;
  readonly ordinal: number | null;
}

export interface Candidate {
  readonly check: string;
  readonly isProperty: boolean;
  readonly message: string;
  readonly location: Location | null;
  readonly subject: string | null;
  readonly depth: number;
  /** All places of this depth; traces are chosen among the shortest to any of them. */
  readonly occurrences: Occurrence[];
}

/** Occurrences remembered per finding; beyond that the choice among shortest traces is among the first ones. */
const OCCURRENCES_KEPT = 100_000;

export class FindingBook {
  readonly candidates = new Map<string, Candidate>();
  /** Properties whose window has been open at least once. */
  readonly opened = new Set<Property>();
  /** Whether something was found that ends the run. */
  unexpected = false;

  constructor(readonly options: ExploreOptions) {}

  /** Notes it unless a shorter trace to the same thing is known. */
  add(found: Omit<Candidate, "occurrences">, occurrence: Occurrence): void {
    const place =
      found.isProperty || found.check === "stuck" || found.check === "livelock"
        ? ""
        : found.location
          ? `${found.location.file}:${found.location.line}`
          : found.message;
    const key = `${found.check} ${place}`;
    const known = this.candidates.get(key);
    if (!known) {
      this.candidates.set(key, { ...found, occurrences: [occurrence] });
      if (!this.options.goOnAfter?.has(found.check)) this.unexpected = true;
    } else if (known.depth === found.depth && known.occurrences.length < OCCURRENCES_KEPT) known.occurrences.push(occurrence);
  }

  /** States from that number on have got others, or turned out to be known: what was found in these was found before. */
  renumber(first: number, numberOf: (state: number) => number | null): void {
    const isMoved = ({ state, ordinal }: Occurrence) => ordinal === null && state >= first;
    for (const { occurrences } of this.candidates.values()) {
      if (!occurrences.some(isMoved)) continue;
      for (const occurrence of occurrences.splice(0)) {
        const state = isMoved(occurrence) ? numberOf(occurrence.state) : occurrence.state;
        if (state !== null) occurrences.push({ ...occurrence, state });
      }
    }
  }

  /** Whether looking further for violations of the property cannot bring anything new at this depth. */
  isSettled(property: Property, depth: number): boolean {
    const known = this.candidates.get(`${property.code} `);
    return known !== undefined && known.depth < depth;
  }

  /** What is to be said of each property and check, by `end`. `terminates` tells whether the scenario is expected to come to an end. */
  results(properties: readonly Property[], terminates: boolean, end: End): CheckResult[] {
    const violated = new Set([...this.candidates.values()].map(({ check }) => check));
    const verdict = (check: string, open: boolean): ResultVerdict => {
      if (violated.has(check)) return "violated";
      if (end.kind !== "complete") return "unfinished";
      return open ? "holds" : "vacuous";
    };
    return [
      ...properties.map((property): CheckResult => {
        const seen = this.opened.has(property);
        const witness = property.window.kind === "sometimes";
        return { check: property.code, isProperty: true, verdict: witness && seen ? "holds" : verdict(property.code, seen) };
      }),
      ...checksOf(terminates).map((check): CheckResult => ({ check, isProperty: false, verdict: verdict(check, true) })),
    ];
  }
}
