/**
 * One-line mutants of a model file, as switches: each place where a mutant differs asks whether the mutant's commit is applied, so that one
 * loaded file is the original and all of its mutants, and an audit compares them.
 */
import { createHash } from "node:crypto";
import ts from "typescript";
import type { Commit } from "../../src/lang/design.js";

export interface Mutant {
  /** By which `applied` knows it. */
  readonly sha: string;
  /** Line of the original file, from 1. */
  readonly line: number;
  readonly procedure: string;
  /** In words: `without "group.domain = null;"`. */
  readonly what: string;
}

export interface Mutated {
  /** The file with all switches in it. */
  readonly text: string;
  readonly mutants: readonly Mutant[];
  /** For a design that has the switches. */
  readonly commits: Readonly<Record<string, Commit>>;
}

interface Place {
  readonly node: ts.Node;
  readonly what: string;
  /** The text with the switch, given the original's and the question whether the mutant is applied. */
  readonly switched: (original: string, isApplied: string) => string;
}

/** All mutants of the file: a statement dropped, a condition negated, a constant exchanged for another. */
export function mutate(text: string, fileName: string): Mutated {
  const file = ts.createSourceFile(fileName, text, ts.ScriptTarget.ES2022, true);
  const places: { readonly place: Place; readonly procedure: string }[] = [];
  for (const statement of file.statements) {
    if (!ts.isFunctionDeclaration(statement) || statement.body === undefined) continue;
    const visit = (node: ts.Node): void => {
      const place = placeOf(node, file);
      if (place !== null) places.push({ place, procedure: statement.name?.text ?? "" });
      ts.forEachChild(node, visit);
    };
    visit(statement.body);
  }
  const mutants = places.map(({ place: { node, what }, procedure }, number): Mutant => {
    const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
    return { sha: shaOf(number), line, procedure, what };
  });
  return {
    text: withImports(
      rendered(
        places.map(({ place }) => place),
        file,
        text,
      ),
    ),
    mutants,
    commits: Object.fromEntries(mutants.map(({ sha, what }) => [sha, { subject: what, since: "a mutant" }])),
  };
}

/** So many of them, by seed: the same ones each time, and nearly the same ones when the file has changed elsewhere. */
export function sample(all: readonly Mutant[], count: number, seed: number): Mutant[] {
  const orderOf = (mutant: Mutant) =>
    createHash("sha256")
      .update(`${seed} ${nameOf(mutant)}`)
      .digest("hex");
  const ordered = all.map((mutant) => ({ mutant, order: orderOf(mutant) })).sort((one, other) => (one.order < other.order ? -1 : 1));
  return ordered.slice(0, count).map(({ mutant }) => mutant);
}

/** What it is called whatever line it stands on. */
export function nameOf({ procedure, what }: Mutant): string {
  return `${procedure}: ${what}`;
}

function shaOf(number: number): string {
  return `badc0de${number.toString(16).padStart(5, "0")}`;
}

/** What errors are exchanged for. */
const OTHER_ERROR = "ENODEV";

function placeOf(node: ts.Node, file: ts.SourceFile): Place | null {
  const source = () => node.getText(file).replace(/\s+/g, " ");
  if (ts.isExpressionStatement(node)) {
    // What only observes, explains, or is a mere preemption point is no behaviour.
    if (ts.isYieldExpression(node.expression) && node.expression.asteriskToken === undefined) return null;
    if (/^(atomic|observe|lockdep_assert_held)\(/.test(source())) return null;
    return { node, what: `without \`${source()}\``, switched: (original, isApplied) => `{ if (!${isApplied}) ${original} }` };
  }
  if (isCondition(node) && !hasYield(node)) {
    const switched = (original: string, isApplied: string) => `(${isApplied} ? !(${original}) : (${original}))`;
    return { node, what: `\`${source()}\` negated`, switched };
  }
  const other = otherConstant(node);
  if (other === null) return null;
  return {
    node,
    what: `\`${other}\` for \`${source()}\` in \`${lineOf(node, file)}\``,
    switched: (original, isApplied) => `(${isApplied} ? ${other} : ${original})`,
  };
}

function isCondition(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isIfStatement(parent)) return parent.expression === node && !/\bapplied\(/.test(node.getText());
  return ts.isConditionalExpression(parent) && parent.condition === node && !/\bapplied\(/.test(node.getText());
}

function hasYield(node: ts.Node): boolean {
  return ts.isYieldExpression(node) || ts.forEachChild(node, (child) => hasYield(child) || undefined) === true;
}

/** Another error, the other truth value, one more; null for what is no constant. */
function otherConstant(node: ts.Node): string | null {
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.MinusToken && ts.isIdentifier(node.operand)) {
    return /^E[A-Z]+$/.test(node.operand.text) && node.operand.text !== OTHER_ERROR ? `-${OTHER_ERROR}` : null;
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) return "false";
  if (node.kind === ts.SyntaxKind.FalseKeyword) return "true";
  return ts.isNumericLiteral(node) ? String(Number(node.text) + 1) : null;
}

function lineOf(node: ts.Node, file: ts.SourceFile): string {
  const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
  return (file.text.split("\n")[line] as string).trim();
}

/** The text with the switches of all places, which are in the order in which the tree is walked: outer ones first. */
function rendered(places: readonly Place[], file: ts.SourceFile, text: string): string {
  const render = (from: number, to: number, within: readonly number[]): string => {
    let done = "";
    let at = from;
    for (const number of within) {
      const { node, switched } = places[number] as Place;
      const start = node.getStart(file);
      if (start < at) continue;
      const inner = within.filter((other) => other > number && isInside(places[other] as Place, node));
      done += text.slice(at, start) + switched(render(start, node.end, inner), `applied("${shaOf(number)}")`);
      at = node.end;
    }
    return done + text.slice(at, to);
  };
  return render(0, text.length, [...places.keys()]);
}

function isInside({ node }: Place, outer: ts.Node): boolean {
  return node.pos >= outer.pos && node.end <= outer.end;
}

/** The switches use names that the file may not have. */
function withImports(text: string): string {
  const imported = /import \{([^}]*)\} from "iommu-mc"/.exec(text)?.[1] ?? "";
  const missing = ["applied", OTHER_ERROR].filter((name) => !new RegExp(`\\b${name}\\b`).test(imported));
  return text.replace(/import \{(?=[^}]*\} from "iommu-mc")/, `import { ${missing.join(", ")}${missing.length > 0 ? "," : ""}`);
}
