/** The locals of one procedure: its parameters, what it declares, and what the transformer adds. */
import type tsTypes from "typescript";
import type { Source } from "./source.js";
import { boundNames, eachValueName, type GeneratorNode } from "./syntax.js";
import { ts } from "./typescript.js";

export interface Variable {
  /** What the author calls it; for a spilled operand, the operand's text. */
  readonly name: string;
  /** What it is called in the output, where no two variables of a procedure share a name. */
  readonly emitted: string;
  /** Position in order of declaration; the order of `Site.live`. */
  readonly index: number;
  readonly declaration: tsTypes.Node | null;
}

export interface Variables {
  readonly all: readonly Variable[];
  readonly parameters: readonly Variable[];
  /** Added by the transformer, declared at the top of the body. */
  readonly added: readonly Variable[];
  /** The variable an identifier stands for, if it is a local of this procedure. Works on original and lowered nodes. */
  of(node: tsTypes.Node): Variable | undefined;
  /** A new variable that holds a value across a yield. */
  add(name: string): Variable;
  /** A new identifier node that stands for the variable. */
  mention(variable: Variable): tsTypes.Identifier;
}

/** A source of names that the file does not use anywhere. */
export function freshNames(file: tsTypes.SourceFile): (wanted: string) => string {
  const taken = new Set<string>();
  const collect = (node: tsTypes.Node): void => {
    if (ts.isIdentifier(node)) taken.add(node.text);
    ts.forEachChild(node, collect);
  };
  collect(file);
  return (wanted) => {
    let name = wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted}$${n}`;
    taken.add(name);
    return name;
  };
}

export function variablesOf(procedure: GeneratorNode, source: Source, fresh: (wanted: string) => string): Variables {
  const all: Variable[] = [];
  const bySymbol = new Map<tsTypes.Symbol, Variable>();
  const byNode = new WeakMap<tsTypes.Node, Variable>();
  const namesTaken = new Set<string>();

  function declare(name: tsTypes.Identifier): Variable {
    const symbol = source.symbolOf(name);
    // The first variable of a name keeps it; the second is another variable and gets another name.
    const emitted = namesTaken.has(name.text) ? fresh(name.text) : name.text;
    namesTaken.add(name.text);
    const variable: Variable = { name: name.text, emitted, index: all.length, declaration: name };
    all.push(variable);
    if (symbol) bySymbol.set(symbol, variable);
    return variable;
  }

  const parameters = procedure.parameters.flatMap((parameter) => boundNames(parameter.name).map(declare));
  const declareLocals = (node: tsTypes.Node): void => {
    if (ts.isFunctionLike(node)) return;
    if (ts.isVariableDeclaration(node)) for (const name of boundNames(node.name)) declare(name);
    ts.forEachChild(node, declareLocals);
  };
  ts.forEachChild(procedure.body, declareLocals);

  const resolve = (name: tsTypes.Identifier): void => {
    const symbol = source.symbolOf(name);
    const variable = symbol && bySymbol.get(symbol);
    if (variable) byNode.set(name, variable);
  };
  for (const parameter of procedure.parameters) eachValueName(parameter, resolve);
  eachValueName(procedure.body, resolve);

  const added: Variable[] = [];
  return {
    all,
    parameters,
    added,
    of: (node) => byNode.get(node),
    add: (name) => {
      const variable: Variable = { name, emitted: fresh(`$${added.length + 1}`), index: all.length, declaration: null };
      all.push(variable);
      added.push(variable);
      return variable;
    },
    mention: (variable) => {
      const node = ts.factory.createIdentifier(variable.emitted);
      byNode.set(node, variable);
      return node;
    },
  };
}

/** Every mention of a local under `node`, in function literals too. */
export function eachLocal(node: tsTypes.Node, variables: Variables, action: (variable: Variable) => void): void {
  const variable = variables.of(node);
  if (variable) action(variable);
  ts.forEachChild(node, (child) => eachLocal(child, variables, action));
}

/** Locals captured by the function literals under `node`. */
export function eachCapture(node: tsTypes.Node, variables: Variables, action: (variable: Variable) => void): void {
  if (ts.isFunctionLike(node)) eachLocal(node, variables, action);
  else ts.forEachChild(node, (child) => eachCapture(child, variables, action));
}
