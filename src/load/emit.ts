/**
 * Writes the calls to `$rt` into a module: at each yield the position and the live locals, after it their
 * restored values and the poison for the dead ones, around each read of a local, at the head of each loop.
 */
import type tsTypes from "typescript";
import type { Location } from "../lang/errors.js";
import { type CoveragePlan, coverOf, withPoints } from "./coverage.js";
import type { CursorLoop } from "./lower.js";
import type { Source } from "./source.js";
import { bare, commaOf, isAssignmentOperator, isStep, runtimeCall } from "./syntax.js";
import { ts } from "./typescript.js";
import type { Variable, Variables } from "./variables.js";

/** What to write at one yield. */
export interface YieldPlan {
  readonly site: number;
  readonly live: readonly Variable[];
  readonly dead: readonly Variable[];
}

export interface Emission {
  readonly source: Source;
  readonly variables: Variables;
  readonly context: tsTypes.TransformationContext;
  readonly cursorLoops: ReadonlyMap<tsTypes.ForStatement, CursorLoop>;
  readonly plans: ReadonlyMap<tsTypes.YieldExpression, YieldPlan>;
  readonly coverage: CoveragePlan;
  readonly restore: boolean;
  readonly poison: boolean;
  /** Name for what is being yielded and for the yield's result; never holds a value across a yield. */
  readonly scratch: string;
}

/** `$rt.tick({ file, line, column });` */
export function tickStatement(loop: tsTypes.Node, location: Location): tsTypes.Statement {
  const f = ts.factory;
  const literal = f.createObjectLiteralExpression([
    f.createPropertyAssignment("file", f.createStringLiteral(location.file)),
    f.createPropertyAssignment("line", f.createNumericLiteral(location.line)),
    f.createPropertyAssignment("column", f.createNumericLiteral(location.column)),
  ]);
  return ts.setSourceMapRange(f.createExpressionStatement(runtimeCall("tick", literal)), loop);
}

/** The loop with `first` as the first statements of its body. */
export function withBodyStart<T extends tsTypes.IterationStatement>(
  loop: T,
  body: tsTypes.Statement,
  first: readonly tsTypes.Statement[],
): T {
  const f = ts.factory;
  const rest = ts.isBlock(body) ? body.statements : [body];
  const block = f.createBlock([...first, ...rest], true);
  let result: tsTypes.Node = loop;
  if (ts.isForStatement(loop)) result = f.updateForStatement(loop, loop.initializer, loop.condition, loop.incrementor, block);
  else if (ts.isForOfStatement(loop)) result = f.updateForOfStatement(loop, loop.awaitModifier, loop.initializer, loop.expression, block);
  else if (ts.isForInStatement(loop)) result = f.updateForInStatement(loop, loop.initializer, loop.expression, block);
  else if (ts.isWhileStatement(loop)) result = f.updateWhileStatement(loop, loop.expression, block);
  else if (ts.isDoStatement(loop)) result = f.updateDoStatement(loop, block, loop.expression);
  return result as T;
}

export function emitBody(body: tsTypes.Block, procedure: number, reached: readonly tsTypes.Statement[], e: Emission): tsTypes.Block {
  const f = ts.factory;
  const enter = runtimeCall("enter", f.createNumericLiteral(procedure), f.createArrayLiteralExpression(e.variables.parameters.map(plain)));
  const names = [e.scratch, ...e.variables.added.map((variable) => variable.emitted)];
  const added = f.createVariableDeclarationList(
    names.map((name) => f.createVariableDeclaration(name)),
    ts.NodeFlags.Let,
  );
  const rest = body.statements.map((statement) => visit(statement, e) as tsTypes.Statement);
  return f.updateBlock(body, [f.createExpressionStatement(enter), ...reached, f.createVariableStatement(undefined, added), ...rest]);
}

/** A parameter's default value may read the parameters before it. */
export function emitParameter(parameter: tsTypes.ParameterDeclaration, e: Emission): tsTypes.ParameterDeclaration {
  const initializer = parameter.initializer && (visit(parameter.initializer, e) as tsTypes.Expression);
  const name = bindingName(parameter.name, e);
  return ts.factory.updateParameterDeclaration(parameter, undefined, parameter.dotDotDotToken, name, undefined, undefined, initializer);
}

function plain(variable: Variable): tsTypes.Identifier {
  return ts.factory.createIdentifier(variable.emitted);
}

function visit(node: tsTypes.Node, e: Emission): tsTypes.Node {
  return withPoints(rewrite(node, e), ts.getOriginalNode(node), e.coverage);
}

function rewrite(node: tsTypes.Node, e: Emission): tsTypes.Node {
  const f = ts.factory;
  if (ts.isTypeNode(node)) return node;
  const variable = e.variables.of(node);
  if (variable) return read(variable, node);
  if (ts.isYieldExpression(node)) return yieldExpression(node, e);

  if (ts.isVariableDeclarationList(node)) {
    // A restored local is assigned to, whatever it was declared as.
    const flags = node.flags & ts.NodeFlags.BlockScoped ? ts.NodeFlags.Let : ts.NodeFlags.None;
    const declarations = node.declarations.map((declaration) => visit(declaration, e) as tsTypes.VariableDeclaration);
    return ts.setSourceMapRange(ts.setOriginalNode(f.createVariableDeclarationList(declarations, flags), node), node);
  }
  if (ts.isVariableDeclaration(node)) {
    const initializer = node.initializer && (visit(node.initializer, e) as tsTypes.Expression);
    return f.updateVariableDeclaration(node, bindingName(node.name, e), undefined, undefined, initializer);
  }
  if (ts.isBindingElement(node)) return bindingElement(node, e);

  if (ts.isShorthandPropertyAssignment(node)) {
    const local = e.variables.of(node.name);
    if (!local) return node;
    return ts.setSourceMapRange(f.createPropertyAssignment(node.name.text, read(local, node.name)), node);
  }
  if (ts.isBinaryExpression(node) && isAssignmentOperator(node.operatorToken.kind)) return assignment(node, e);
  if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(node)) {
    const stepped = e.variables.of(bare(node.operand));
    if (!stepped) return ts.visitEachChild(node, (child) => visit(child, e), e.context);
    const step = ts.isPrefixUnaryExpression(node)
      ? f.updatePrefixUnaryExpression(node, plain(stepped))
      : f.updatePostfixUnaryExpression(node, plain(stepped));
    return inParentheses([read(stepped, node.operand), step], node);
  }

  if (ts.isForStatement(node)) {
    const cursor = e.cursorLoops.get(node);
    if (cursor) return cursorLoop(node, cursor, e);
  }
  if (ts.isForOfStatement(node) && !ts.isVariableDeclarationList(node.initializer)) {
    const loop = f.updateForOfStatement(
      node,
      node.awaitModifier,
      target(node.initializer, e),
      visit(node.expression, e) as tsTypes.Expression,
      visit(node.statement, e) as tsTypes.Statement,
    );
    return withTick(loop, node, e);
  }
  const visited = ts.visitEachChild(node, (child) => visit(child, e), e.context);
  return ts.isIterationStatement(visited, false) ? withTick(visited, node, e) : visited;
}

function withTick(loop: tsTypes.IterationStatement, original: tsTypes.Node, e: Emission): tsTypes.IterationStatement {
  const place = ts.getOriginalNode(original);
  return withBodyStart(loop, loop.statement, [tickStatement(place, e.source.at(place)), ...coverOf(place, e.coverage)]);
}

/** `$rt.use(x, "x")` */
function read(variable: Variable, place: tsTypes.Node): tsTypes.Expression {
  const name = ts.setSourceMapRange(plain(variable), place);
  return ts.setSourceMapRange(runtimeCall("use", name, ts.factory.createStringLiteral(variable.name)), place);
}

function inParentheses(parts: readonly tsTypes.Expression[], place: tsTypes.Node): tsTypes.Expression {
  const f = ts.factory;
  return ts.setSourceMapRange(f.createParenthesizedExpression(commaOf(parts)), place);
}

/**
 * `yield e` → `(v = e, v = yield $rt.at(site, [live…], v), [live…] = $rt.restored(), dead = $rt.POISON, v)`:
 * the operand is evaluated first, so that what it assigns is in the snapshot.
 */
function yieldExpression(node: tsTypes.YieldExpression, e: Emission): tsTypes.Expression {
  const f = ts.factory;
  const plan = e.plans.get(node);
  if (!plan)
    return e.source.refuse("pending-operand", ts.getOriginalNode(node), "a yield stands where its control flow cannot be followed");
  const scratch = () => f.createIdentifier(e.scratch);
  const live = () => f.createArrayLiteralExpression(plan.live.map(plain));
  const operand = node.expression ? (visit(node.expression, e) as tsTypes.Expression) : f.createVoidZero();
  const report = runtimeCall(node.asteriskToken ? "call" : "at", f.createNumericLiteral(plan.site), live(), scratch());
  const yielded = node.asteriskToken ? f.createYieldExpression(node.asteriskToken, report) : f.createYieldExpression(undefined, report);
  for (const made of [report, yielded]) ts.setSourceMapRange(made, ts.getOriginalNode(node));
  const parts: tsTypes.Expression[] = [f.createAssignment(scratch(), operand), f.createAssignment(scratch(), yielded)];
  if (e.restore && plan.live.length > 0) parts.push(f.createAssignment(live(), runtimeCall("restored")));
  if (e.poison && plan.dead.length > 0) {
    const poison: tsTypes.Expression = f.createPropertyAccessExpression(f.createIdentifier("$rt"), "POISON");
    parts.push(plan.dead.reduceRight((value, variable) => f.createAssignment(plain(variable), value), poison));
  }
  return inParentheses([...parts, scratch()], ts.getOriginalNode(node));
}

function assignment(node: tsTypes.BinaryExpression, e: Emission): tsTypes.Expression {
  const f = ts.factory;
  const right = () => visit(node.right, e) as tsTypes.Expression;
  if (node.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
    return f.updateBinaryExpression(node, target(node.left, e), node.operatorToken, right());
  }
  const variable = e.variables.of(bare(node.left));
  if (!variable) return ts.visitEachChild(node, (child) => visit(child, e), e.context);
  const compound = f.updateBinaryExpression(node, plain(variable), node.operatorToken, right());
  return inParentheses([read(variable, node.left), compound], node);
}

/** What is assigned to: a local is named, not read. */
function target<T extends tsTypes.Node>(node: T, e: Emission): tsTypes.Expression;
function target(node: tsTypes.Expression, e: Emission): tsTypes.Expression {
  const f = ts.factory;
  const inner = bare(node);
  const variable = e.variables.of(inner);
  if (variable) return ts.setSourceMapRange(plain(variable), inner);
  if (ts.isArrayLiteralExpression(inner)) {
    return f.updateArrayLiteralExpression(
      inner,
      inner.elements.map((element) => target(element, e)),
    );
  }
  if (ts.isSpreadElement(inner)) return f.updateSpreadElement(inner, target(inner.expression, e));
  if (ts.isBinaryExpression(inner) && inner.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
    return f.updateBinaryExpression(inner, target(inner.left, e), inner.operatorToken, visit(inner.right, e) as tsTypes.Expression);
  }
  if (ts.isObjectLiteralExpression(inner)) {
    const properties = inner.properties.map((property) => {
      if (ts.isPropertyAssignment(property)) {
        return f.updatePropertyAssignment(property, propertyName(property.name, e), target(property.initializer, e));
      }
      if (ts.isShorthandPropertyAssignment(property)) {
        const name = target(property.name, e);
        const fallback = property.objectAssignmentInitializer;
        const value = fallback ? f.createAssignment(name, visit(fallback, e) as tsTypes.Expression) : name;
        return f.createPropertyAssignment(property.name.text, value);
      }
      if (ts.isSpreadAssignment(property)) return f.updateSpreadAssignment(property, target(property.expression, e));
      return property;
    });
    return f.updateObjectLiteralExpression(inner, properties);
  }
  return visit(node, e) as tsTypes.Expression;
}

function propertyName(name: tsTypes.PropertyName, e: Emission): tsTypes.PropertyName {
  if (!ts.isComputedPropertyName(name)) return name;
  return ts.factory.updateComputedPropertyName(name, visit(name.expression, e) as tsTypes.Expression);
}

function bindingName(name: tsTypes.BindingName, e: Emission): tsTypes.BindingName {
  if (ts.isIdentifier(name)) {
    const variable = e.variables.of(name);
    return variable && variable.emitted !== name.text ? ts.setSourceMapRange(plain(variable), name) : name;
  }
  return ts.visitEachChild(name, (child) => visit(child, e), e.context);
}

function bindingElement(node: tsTypes.BindingElement, e: Emission): tsTypes.BindingElement {
  const f = ts.factory;
  const name = bindingName(node.name, e);
  const renamed = name !== node.name && ts.isIdentifier(node.name) && !node.dotDotDotToken;
  const written = node.propertyName && propertyName(node.propertyName, e);
  const property =
    written ?? (renamed && ts.isObjectBindingPattern(node.parent) ? f.createIdentifier((node.name as tsTypes.Identifier).text) : undefined);
  const initializer = node.initializer && (visit(node.initializer, e) as tsTypes.Expression);
  return f.updateBindingElement(node, node.dotDotDotToken, property, name, initializer);
}

/** `for (s = $rt.sequence(e), c = $rt.first(s); c !== null; c = $rt.next(s, c)) { tick; x = $rt.item(s, c); body }` */
function cursorLoop(node: tsTypes.ForStatement, { original, sequence, cursor }: CursorLoop, e: Emission): tsTypes.ForStatement {
  const f = ts.factory;
  const mapped = <T extends tsTypes.Node>(made: T): T => ts.setSourceMapRange(made, original.expression);
  const reading = (variable: Variable) => read(variable, original.expression);
  const walked = visit(node.initializer as tsTypes.Expression, e) as tsTypes.Expression;
  const initializer = commaOf([
    mapped(f.createAssignment(plain(sequence), mapped(runtimeCall("sequence", walked)))),
    mapped(f.createAssignment(plain(cursor), mapped(runtimeCall("first", reading(sequence))))),
  ]);
  const condition = f.createStrictInequality(reading(cursor), f.createNull());
  const update = mapped(f.createAssignment(plain(cursor), mapped(runtimeCall("next", reading(sequence), reading(cursor)))));
  const item = mapped(runtimeCall("item", reading(sequence), reading(cursor)));
  const element = original.initializer;
  const bind = ts.isVariableDeclarationList(element)
    ? f.createVariableStatement(
        undefined,
        f.createVariableDeclarationList(
          element.declarations.map((declaration) =>
            f.createVariableDeclaration(bindingName(declaration.name, e), undefined, undefined, item),
          ),
          ts.NodeFlags.Let,
        ),
      )
    : f.createExpressionStatement(f.createAssignment(target(element, e), item));
  const loop = f.updateForStatement(node, initializer, condition, update, visit(node.statement, e) as tsTypes.Statement);
  return withBodyStart(loop, loop.statement, [tickStatement(original, e.source.at(original)), ...coverOf(original, e.coverage), bind]);
}
