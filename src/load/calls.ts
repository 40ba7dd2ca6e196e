/** Which functions of the loaded model files call which, as their source says it. */
import type tsTypes from "typescript";
import type { Location } from "../lang/errors.js";
import { parseSource, type Source } from "./source.js";
import { isGenerator } from "./syntax.js";
import { ts, useTypescript } from "./typescript.js";

/** A function declared at the top level of a model file. */
export interface ModelFunction {
  /** Unlike its name, its own: `models/linux/iommu.ts:__iommu_attach_device`. */
  readonly id: string;
  readonly name: string;
  /** Whether it is a generator: it can be preempted. */
  readonly isProcedure: boolean;
  readonly location: Location;
}

export interface Call {
  /** Ids of functions. */
  readonly caller: string;
  readonly callee: string;
  /** The first place of several. */
  readonly location: Location;
}

export interface CallGraph {
  readonly functions: readonly ModelFunction[];
  /** Each pair once, in the order of the source. */
  readonly calls: readonly Call[];
}

/** A model file with the files its imports mean. */
export interface ModelFile {
  /** As locations show it. */
  readonly shown: string;
  readonly text: string;
  /** Files, as locations show them, by import specifier. */
  readonly imports: ReadonlyMap<string, string>;
}

/** Calls of the language's own functions are left out, and so is what a file evaluates at its top level. */
export function callGraph(files: readonly ModelFile[]): CallGraph {
  useTypescript();
  const parsed = files.map((file) => ({ ...file, source: parseSource(file.text, file.shown) }));
  const functions = parsed.flatMap(({ shown, source }) =>
    declarations(source).map(
      (node): ModelFunction => ({
        id: `${shown}:${node.name.text}`,
        name: node.name.text,
        isProcedure: isGenerator(node),
        location: source.at(node.name),
      }),
    ),
  );
  const known = new Set(functions.map(({ id }) => id));
  const calls = new Map<string, Call>();
  for (const { shown, source, imports } of parsed) {
    for (const node of declarations(source)) {
      const caller = `${shown}:${node.name.text}`;
      eachCall(node, (call) => {
        const callee = calleeOf(call, source, shown, imports);
        const key = `${caller} ${callee}`;
        if (callee !== null && known.has(callee) && !calls.has(key)) calls.set(key, { caller, callee, location: source.at(call) });
      });
    }
  }
  return { functions, calls: [...calls.values()] };
}

type Declared = tsTypes.FunctionDeclaration & { readonly name: tsTypes.Identifier };

function declarations({ file }: Source): Declared[] {
  return file.statements.filter(
    (node): node is Declared => ts.isFunctionDeclaration(node) && node.name !== undefined && node.body !== undefined,
  );
}

function eachCall(node: tsTypes.Node, visit: (call: tsTypes.CallExpression) => void): void {
  if (ts.isCallExpression(node)) visit(node);
  ts.forEachChild(node, (child) => eachCall(child, visit));
}

/** Id of the function that is called by its name; null for anything else. */
function calleeOf({ expression }: tsTypes.CallExpression, source: Source, shown: string, imports: ModelFile["imports"]): string | null {
  if (!ts.isIdentifier(expression)) return null;
  for (const declaration of source.symbolOf(expression)?.declarations ?? []) {
    if (ts.isFunctionDeclaration(declaration)) return `${shown}:${expression.text}`;
    if (ts.isImportSpecifier(declaration)) {
      const from = declaration.parent.parent.parent.moduleSpecifier;
      const file = ts.isStringLiteral(from) ? imports.get(from.text) : undefined;
      return file === undefined ? null : `${file}:${(declaration.propertyName ?? declaration.name).text}`;
    }
  }
  return null;
}
