/** What a model file may not contain, and what its author should write instead. */
import type ts from "typescript";
import { type Location, ModelError } from "../lang/errors.js";

const refusals = {
  syntax: "Correct the syntax error.",
  "missing-import": "Check the path; it is relative to the importing file, and the extension is .js or .ts.",
  "foreign-import":
    'A model may import values from "iommu-mc" and from other model files by relative path; `import type` is allowed from anywhere.',
  "dynamic-import": "Import at the top of the file.",
  "try-catch": "Return an errno, as the C does; a handler would swallow the faults that the checker has to see.",
  using: "Use `const`, and free the object where the C does.",
  this: "Pass the object as a parameter.",
  arguments: "Name the parameters.",
  async: "Write a procedure, `function* name(): Proc`, and wait with `yield until(...)`.",
  "generator-method": "Declare the procedure at the top level of the file (`function* name()`) and refer to it by name.",
  "nested-generator": "Move the procedure to the top level of the file and pass what it needs as parameters.",
  "nested-function": "Move the function to the top level of the file; a short arrow function used within one step may stay.",
  class: "Declare objects in the schema and write plain functions.",
  "yield-in-default": "Give the parameter its value in the body.",
  "optional-chaining": "Compare with null and write the access in the branch where it is not null; `?.` would hide a NULL dereference.",
  "for-in": "Use `for (const x of ...)`.",
  "unknown-code": "Write the code out; what is built from strings, or scoped by `with`, cannot be checked.",
  impure: "Model code may depend on the state, its parameters and choose() only, or a run could not be repeated.",
  "mutable-module-variable":
    "Make it `const`, or a field of the schema: a variable outside the state is not restored when the checker goes back.",
  "assignment-outside": "Keep what changes in the state (a field of the schema) or in a local of the procedure.",
  "assignment-to-const": "Declare it with `let`.",
  "captured-assignment": "Write a `for` loop: a value assigned from inside a function literal cannot be tracked across a yield.",
  "kept-variable": "Make it a field of the schema: a variable outside the state is not restored when the checker goes back.",
  "live-closure":
    "Write the function where it is used, or move it to the top level of the file; a function cannot be part of a saved state.",
  "pending-operand": "Put the result of the yield into a local first: `const result = yield* ...;`.",
  "wait-operand":
    "Write the wait at the yield itself: `yield until(() => ...)` or `yield idle()`. If this calls a procedure, write `yield*`.",
  "case-scope": "Put braces around the case, or declare the variable before the switch.",
  var: "Use `let` or `const`.",
  "missing-yield-star": "Write `yield* ...`: calling a procedure without it only makes a generator and runs nothing.",
  type: "Correct the type error.",
  evaluation: "The file failed while it was being loaded; correct what it does at its top level.",
} as const;

export type RefusalKind = keyof typeof refusals;

/** A model file that cannot be loaded. `kind` is stable and meant for tests and tools. */
export class LoadError extends ModelError {
  constructor(
    readonly kind: RefusalKind,
    message: string,
    location?: Location,
    hint: string = refusals[kind],
  ) {
    super(message, hint, location);
  }
}

/** The place of a node's first character. `file` is what locations of this source file are to be called. */
export function locationOf(sourceFile: ts.SourceFile, file: string, position: number): Location {
  const { line, character } = sourceFile.getLineAndCharacterOfPosition(position);
  return { file, line: line + 1, column: character + 1 };
}
