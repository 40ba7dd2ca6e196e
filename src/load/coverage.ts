/**
 * Which places of a model file a run may exercise or not: procedures and the functions they call, branches, cases,
 * loops, failures that may be injected, alternatives. Planned on the source as it was written; `withPoints` puts the calls in.
 */
import type tsTypes from "typescript";
import { type CoveragePoint, mentionKey } from "../lang/runtime.js";
import type { Source } from "./source.js";
import { eachValueName, isGenerator, runtimeCall } from "./syntax.js";
import { ts } from "./typescript.js";

export interface CoveragePlan {
  readonly points: readonly CoveragePoint[];
  /** Number of the first point of a node of the original file. */
  readonly first: ReadonlyMap<tsTypes.Node, number>;
}

export const noCoverage: CoveragePlan = { points: [], first: new Map() };

/** Longest piece of source that a point quotes. */
const QUOTED = 60;

type NamedFunction = tsTypes.FunctionDeclaration | (tsTypes.FunctionExpression & { readonly body: tsTypes.Block });

export function planCoverage(source: Source): CoveragePlan {
  const points: CoveragePoint[] = [];
  const first = new Map<tsTypes.Node, number>();
  const primitives = importedPrimitives(source.file);
  const origins = originsIn(source);

  /** The points of a node, one for each text. Returns the number of the first. */
  function add(node: tsTypes.Node, kind: CoveragePoint["kind"], procedure: string, within: number, texts: readonly string[]): number {
    const number = points.length;
    first.set(node, number);
    for (const what of texts) points.push({ location: source.at(node), procedure, kind, what, within, mentions: [] });
    return number;
  }

  function visitFunction(node: NamedFunction, name: string, within: number): void {
    const number = points.length;
    first.set(node, number);
    const kind = isGenerator(node) ? "procedure" : "function";
    points.push({
      location: source.at(node.name ?? node),
      procedure: name,
      kind,
      what: "never entered",
      within,
      mentions: mentionsOf(node, origins),
    });
    ts.forEachChild(node.body as tsTypes.Block, (child) => visit(child, name, number));
  }

  function visit(node: tsTypes.Node, procedure: string, within: number): void {
    const inside = (child: tsTypes.Node | undefined, point = within): void => {
      if (child) visit(child, procedure, point);
    };
    if (isNamedFunction(node)) {
      visitFunction(node, nameOf(node, source.file), within);
      return;
    }
    if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
      const condition = ts.isIfStatement(node) ? node.expression : node.condition;
      const [whenTrue, whenFalse] = ts.isIfStatement(node) ? [node.thenStatement, node.elseStatement] : [node.whenTrue, node.whenFalse];
      const text = quoted(condition, source.file);
      const kind = /\bapplied\(/.test(text) ? "commit" : "branch";
      const number = add(node, kind, procedure, within, [`${text} is never true`, `${text} is never false`]);
      inside(condition);
      inside(whenTrue, number);
      inside(whenFalse, number + 1);
      return;
    }
    let point = within;
    if (ts.isCaseClause(node)) point = add(node, "branch", procedure, within, [`case ${quoted(node.expression, source.file)} never comes`]);
    else if (ts.isDefaultClause(node)) point = add(node, "branch", procedure, within, ["the default case never comes"]);
    else if (ts.isIterationStatement(node, false)) {
      point = add(node, "branch", procedure, within, [`the loop ${loopText(node, source.file)} is never run`]);
    } else if (ts.isCallExpression(node)) addCall(node, procedure, within);
    ts.forEachChild(node, (child) => inside(child, ts.isIterationStatement(node, false) && child !== node.statement ? within : point));
  }

  function addCall(node: tsTypes.CallExpression, procedure: string, within: number): void {
    const primitive = ts.isIdentifier(node.expression) ? primitives.get(node.expression.text) : undefined;
    const [what, alternatives] = node.arguments;
    if (primitive === "fault" && what) add(node, "fault", procedure, within, [`fault(${quoted(what, source.file)}) is never injected`]);
    if (primitive !== "choose" || !what || !alternatives || !ts.isArrayLiteralExpression(alternatives)) return;
    if (alternatives.elements.some(ts.isSpreadElement)) return;
    const texts = alternatives.elements.map((each) => `choose(${quoted(what, source.file)}) never takes ${quoted(each, source.file)}`);
    add(node, "choice", procedure, within, texts);
  }

  // What stands outside of functions makes suites and properties; it is no step of anybody.
  const outside = (node: tsTypes.Node): void => {
    if (isNamedFunction(node)) visitFunction(node, nameOf(node, source.file), -1);
    else ts.forEachChild(node, outside);
  };
  outside(source.file);
  return { points, first };
}

/**
 * Puts the calls that say that a point was reached into a node; `original` is what it was made from. Functions and
 * loops get theirs as the first statement of their bodies, by `coverOf`.
 */
export function withPoints<T extends tsTypes.Node>(node: T, original: tsTypes.Node, { points, first }: CoveragePlan): tsTypes.Node {
  const number = first.get(original);
  if (number === undefined) return node;
  const f = ts.factory;
  if (ts.isIfStatement(node)) {
    const whenFalse = f.createBlock([coverStatement(number + 1), ...(node.elseStatement ? [node.elseStatement] : [])], true);
    return f.updateIfStatement(node, node.expression, f.createBlock([coverStatement(number), node.thenStatement], true), whenFalse);
  }
  if (ts.isConditionalExpression(node)) {
    const then = (point: number, value: tsTypes.Expression) => f.createParenthesizedExpression(f.createComma(coverCall(point), value));
    return f.updateConditionalExpression(
      node,
      node.condition,
      node.questionToken,
      then(number, node.whenTrue),
      node.colonToken,
      then(number + 1, node.whenFalse),
    );
  }
  if (ts.isCaseClause(node)) return f.updateCaseClause(node, node.expression, [coverStatement(number), ...node.statements]);
  if (ts.isDefaultClause(node)) return f.updateDefaultClause(node, [coverStatement(number), ...node.statements]);
  if (ts.isCallExpression(node)) {
    const point = f.createNumericLiteral(number);
    if (points[number]?.kind === "fault") return placed(runtimeCall("injected", point, node), original);
    return placed(runtimeCall("chosen", point, node.expression, ...node.arguments), original);
  }
  return node;
}

/** `$rt.cover(number);`, if the node has a point. */
export function coverOf(original: tsTypes.Node, { first }: CoveragePlan): tsTypes.Statement[] {
  const number = first.get(original);
  return number === undefined ? [] : [coverStatement(number)];
}

function coverCall(point: number): tsTypes.Expression {
  return runtimeCall("cover", ts.factory.createNumericLiteral(point));
}

function coverStatement(point: number): tsTypes.Statement {
  return ts.factory.createExpressionStatement(coverCall(point));
}

/** What it throws is thrown at the place of the original. */
function placed(made: tsTypes.Expression, original: tsTypes.Node): tsTypes.Expression {
  return ts.setSourceMapRange(made, original);
}

function isNamedFunction(node: tsTypes.Node): node is NamedFunction {
  return isGenerator(node) || (ts.isFunctionDeclaration(node) && node.body !== undefined);
}

function nameOf(node: NamedFunction, file: tsTypes.SourceFile): string {
  const name = node.name ?? ts.findAncestor(node, ts.isVariableDeclaration)?.name;
  return name?.getText(file) ?? "default";
}

/** The functions of this file and of those it imports that the function mentions: `probe#iommu_release_device`. */
function mentionsOf(node: NamedFunction, origins: ReadonlyMap<string, string>): string[] {
  const names = new Set<string>();
  eachValueName(node, ({ text }) => {
    const origin = origins.get(text);
    if (origin !== undefined) names.add(origin);
  });
  return [...names];
}

/** Where the functions come from that the file knows by name: itself, or what it imports. */
function originsIn(source: Source): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const statement of source.file.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name) {
      found.set(statement.name.text, mentionKey(source.at(statement).file, statement.name.text));
    }
    for (const { local, imported, from } of importsOf(statement)) found.set(local, mentionKey(from, imported));
  }
  return found;
}

/** `fault` and `choose` by the names under which the file imports them. */
function importedPrimitives(file: tsTypes.SourceFile): ReadonlyMap<string, string> {
  const imports = file.statements.flatMap(importsOf).filter(({ from }) => from === "iommu-mc");
  return new Map(imports.map(({ local, imported }) => [local, imported]));
}

interface Import {
  readonly local: string;
  readonly imported: string;
  readonly from: string;
}

function importsOf(statement: tsTypes.Statement): Import[] {
  if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) return [];
  const from = statement.moduleSpecifier.text;
  const bindings = statement.importClause?.namedBindings;
  if (!bindings || !ts.isNamedImports(bindings)) return [];
  return bindings.elements.map(({ name, propertyName }) => ({ local: name.text, imported: (propertyName ?? name).text, from }));
}

/** The source of a node on one line, cut where it is long. */
function quoted(node: tsTypes.Node, file: tsTypes.SourceFile): string {
  const text = node.getText(file).replace(/\s+/g, " ");
  return text.length <= QUOTED ? text : `${text.slice(0, QUOTED - 1)}…`;
}

function loopText(node: tsTypes.IterationStatement, file: tsTypes.SourceFile): string {
  if (ts.isForOfStatement(node) || ts.isForInStatement(node)) return `over ${quoted(node.expression, file)}`;
  const condition = ts.isForStatement(node) ? node.condition : (node as tsTypes.WhileStatement).expression;
  return condition ? `while ${quoted(condition, file)}` : "without end";
}
