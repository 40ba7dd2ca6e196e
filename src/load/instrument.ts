/**
 * Turns one model file into a module that can be stopped, saved and resumed at any yield: see
 * `docs/decisions/` for why, `lang/runtime.ts` for what the output calls.
 */
import type tsTypes from "typescript";
import type { CoveragePoint, ProcedureInfo, Site } from "../lang/runtime.js";
import { type CoveragePlan, coverOf, noCoverage, planCoverage, withPoints } from "./coverage.js";
import { emitBody, emitParameter, tickStatement, withBodyStart, type YieldPlan } from "./emit.js";
import { flowOf } from "./flow.js";
import { isIn, liveAfter } from "./liveness.js";
import { type CursorLoop, lowerBody } from "./lower.js";
import { type FileParts, partsOf } from "./parts.js";
import { closureHeldBy, isTypeOnlyImport, refuseForbidden } from "./restrictions.js";
import { parseSource, type Source } from "./source.js";
import { bare, eachAssignment, type GeneratorNode, isClosure, isGenerator } from "./syntax.js";
import { ts, useTypescript } from "./typescript.js";
import { freshNames, type Variables, variablesOf } from "./variables.js";

/**
 * What keeps hidden state out of procedures. Each is on; a test switches one off to show that it is needed.
 * - `restore`: locals are assigned back from the control state after each yield.
 * - `poison`: dead locals are overwritten after each yield.
 * - `guardCaptures`: what a wait holds on to is live while it waits.
 * - `spill`: operands that are pending at a yield are put into locals, or refused.
 * - `liveness`: off, no local counts as live anywhere (so every one is poisoned, unless `poison` is off too).
 */
export interface Safeguards {
  readonly restore: boolean;
  readonly poison: boolean;
  readonly guardCaptures: boolean;
  readonly spill: boolean;
  readonly liveness: boolean;
}

export const allSafeguards: Safeguards = { restore: true, poison: true, guardCaptures: true, spill: true, liveness: true };

export interface ImportInfo {
  readonly specifier: string;
  readonly line: number;
  readonly column: number;
  readonly typeOnly: boolean;
}

export interface Instrumented {
  /** A CommonJS module body (ES2022) that expects `exports`, `require`, `module`, `$rt` and `$entered` in scope. */
  readonly js: string;
  /** Source map, version 3, as JSON. Its only source is `fileName`. */
  readonly map: string;
  readonly sites: readonly Site[];
  readonly procedures: readonly ProcedureInfo[];
  /** Empty unless coverage is asked for. */
  readonly points: readonly CoveragePoint[];
  readonly imports: readonly ImportInfo[];
  readonly parts: FileParts;
}

export interface InstrumentOptions {
  readonly safeguards?: Partial<Safeguards>;
  /** Whether the module tells which of its coverage points are reached. Default false. */
  readonly coverage?: boolean;
}

/**
 * Instruments the text of a model file. `fileName` is what locations and the source map call it.
 * Throws `LoadError`, located, for a syntax error and for everything a model may not do.
 */
export function instrument(text: string, fileName: string, options: InstrumentOptions = {}): Instrumented {
  useTypescript();
  const safeguards = { ...allSafeguards, ...options.safeguards };
  const source = parseSource(text, fileName);
  refuseForbidden(source);
  const coverage = options.coverage ? planCoverage(source) : noCoverage;

  const sites: Site[] = [];
  const procedures: ProcedureInfo[] = [];
  const fresh = freshNames(source.file);
  const transformer: tsTypes.TransformerFactory<tsTypes.SourceFile> = (context) => (file) => {
    const visit = (node: tsTypes.Node): tsTypes.Node => {
      if (isGenerator(node)) return instrumentProcedure(node, { source, safeguards, context, sites, procedures, fresh, coverage });
      const visited = ts.visitEachChild(node, visit, context);
      if (ts.isFunctionDeclaration(visited)) return withBodyPoint(visited, coverOf(node, coverage));
      if (!ts.isIterationStatement(visited, false)) return withPoints(visited, node, coverage);
      return withBodyStart(visited, visited.statement, [tickStatement(node, source.at(node)), ...coverOf(node, coverage)]);
    };
    return ts.visitEachChild(file, visit, context);
  };

  const { parts, reporting } = partsOf(source);
  let js = "";
  let map = "";
  source.program.emit(
    source.file,
    (name, output) => {
      if (name.endsWith(".map")) map = output;
      else js = output;
    },
    undefined,
    false,
    { before: [transformer, reporting] },
  );
  const named = { ...(JSON.parse(map) as object), file: fileName, sources: [fileName], sourceRoot: "" };
  return {
    js: js.replace(/\/\/# sourceMappingURL=.*\s*$/, ""),
    map: JSON.stringify(named),
    sites,
    procedures,
    points: coverage.points,
    imports: importsOf(source),
    parts,
  };
}

interface Work {
  readonly source: Source;
  readonly safeguards: Safeguards;
  readonly context: tsTypes.TransformationContext;
  readonly sites: Site[];
  readonly procedures: ProcedureInfo[];
  readonly fresh: (wanted: string) => string;
  readonly coverage: CoveragePlan;
}

/** A plain function that says when it is entered. */
function withBodyPoint(node: tsTypes.FunctionDeclaration, reached: readonly tsTypes.Statement[]): tsTypes.FunctionDeclaration {
  if (node.body === undefined || reached.length === 0) return node;
  const f = ts.factory;
  const body = f.updateBlock(node.body, [...reached, ...node.body.statements]);
  const { modifiers, asteriskToken, name, typeParameters, parameters, type } = node;
  return f.updateFunctionDeclaration(node, modifiers, asteriskToken, name, typeParameters, parameters, type, body);
}

function instrumentProcedure(procedure: GeneratorNode, work: Work): tsTypes.Node {
  const { source, safeguards, context, sites, procedures, coverage } = work;
  const f = ts.factory;
  const nameNode = procedure.name ?? ts.findAncestor(procedure, ts.isVariableDeclaration)?.name;
  const name = nameNode?.getText(source.file) ?? "default";
  const number = procedures.length;
  const variables = variablesOf(procedure, source, work.fresh);
  procedures.push({
    name,
    location: source.at(nameNode ?? procedure),
    parameters: variables.parameters.map((parameter) => parameter.name),
  });

  const cursorLoops = new Map<tsTypes.ForStatement, CursorLoop>();
  const body = lowerBody(procedure.body, { source, variables, context, spill: safeguards.spill, cursorLoops });
  const flow = flowOf(body, { source, variables, cursorLoops, guardCaptures: safeguards.guardCaptures });
  const after = liveAfter(flow.nodes);
  const plans = new Map<tsTypes.YieldExpression, YieldPlan>();
  const everLive = new Set<number>();
  for (const point of flow.yields) {
    const set = safeguards.liveness ? (after[point.flow] as bigint) : 0n;
    const ordered = point.initialised.toSorted((a, b) => a.index - b.index);
    const live = ordered.filter((variable) => isIn(set, variable.index));
    for (const variable of live) everLive.add(variable.index);
    plans.set(point.node, { site: sites.length, live, dead: ordered.filter((variable) => !isIn(set, variable.index)) });
    sites.push({ location: source.at(ts.getOriginalNode(point.node)), procedure: name, live: live.map((variable) => variable.name) });
  }
  refuseClosures(procedure, variables, everLive, source);

  const scratch = work.fresh("$v");
  const emission = {
    source,
    variables,
    context,
    cursorLoops,
    plans,
    coverage,
    restore: safeguards.restore,
    poison: safeguards.poison,
    scratch,
  };
  const newBody = emitBody(body, number, coverOf(procedure, coverage), emission);
  const parameters = procedure.parameters.map((parameter) => emitParameter(parameter, emission));
  return ts.isFunctionDeclaration(procedure)
    ? f.updateFunctionDeclaration(
        procedure,
        procedure.modifiers,
        procedure.asteriskToken,
        procedure.name,
        undefined,
        parameters,
        undefined,
        newBody,
      )
    : f.updateFunctionExpression(
        procedure,
        procedure.modifiers,
        procedure.asteriskToken,
        procedure.name,
        undefined,
        parameters,
        undefined,
        newBody,
      );
}

/** A function literal is no data: it cannot be saved, and what it assigns cannot be followed. */
function refuseClosures(procedure: GeneratorNode, variables: Variables, everLive: ReadonlySet<number>, source: Source): void {
  for (const variable of variables.all) {
    if (everLive.has(variable.index) && variable.declaration && closureHeldBy(variable.declaration)) {
      source.refuse("live-closure", variable.declaration, `${variable.name} holds a function and is needed after a yield`);
    }
  }
  const visit = (node: tsTypes.Node): void => {
    if (isClosure(node)) {
      eachAssignment(node, (target) => {
        const variable = variables.of(bare(target));
        if (variable && everLive.has(variable.index)) {
          source.refuse(
            "captured-assignment",
            target,
            `a function inside the procedure assigns ${variable.name}, which is needed after a yield`,
          );
        }
      });
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(procedure.body, visit);
}

function importsOf(source: Source): ImportInfo[] {
  const found: ImportInfo[] = [];
  for (const statement of source.file.statements) {
    const typeOnly = ts.isImportDeclaration(statement)
      ? isTypeOnlyImport(statement)
      : ts.isExportDeclaration(statement) && statement.isTypeOnly;
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue;
    const specifier = statement.moduleSpecifier;
    if (!specifier || !ts.isStringLiteral(specifier)) continue;
    const { line, column } = source.at(specifier);
    found.push({ specifier: specifier.text, line, column, typeOnly });
  }
  return found;
}
