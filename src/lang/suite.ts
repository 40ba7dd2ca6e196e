import type { Design } from "./design.js";
import type { Property } from "./property.js";
import type { Scenario } from "./scenario.js";

/** What a suite says beforehand of a property or check that does not hold in its design. */
export interface Expectation {
  readonly verdict: "violated";
  /** Why that is so: the known bug, with its commit. Printed with the verdict. */
  readonly reason: string;
}

/**
 * Why the suites of a file leave something of a model unexercised: exported as `notExercised: NotExercised[]` beside
 * the suites, and printed by `check --coverage`.
 */
export interface NotExercised {
  /** Model file, as locations show it. */
  readonly file: string;
  readonly procedure: string;
  /** Part of what is said of the place, `fault("kzalloc")`; everything in the procedure if it is left out. */
  readonly what?: string;
  readonly reason: string;
}

/** One thing to check: a design under a scenario, with properties and the verdicts expected of them. */
export interface Suite {
  readonly name: string;
  readonly design: Design;
  readonly scenario: Scenario;
  readonly properties: readonly Property[];
  /** By property code or check name; everything not named is expected to hold. */
  readonly expected?: Readonly<Record<string, Expectation>>;
}

/** Declares a suite. Throws if design and scenario are not of the same schema, or a property is listed twice. */
export function suite(declaration: Suite): Suite {
  if (declaration.design.schema !== declaration.scenario.schema) {
    throw new Error(
      `suite ${declaration.name}: the scenario ${declaration.scenario.name} is of another schema than the design ${declaration.design.name}`,
    );
  }
  const codes = declaration.properties.map((property) => property.code);
  const twice = codes.find((code, position) => codes.indexOf(code) !== position);
  if (twice) throw new Error(`suite ${declaration.name}: property ${twice} is listed twice`);
  return declaration;
}
