/**
 * Rewrites a procedure so that nothing is pending when a yield comes: an operand that JavaScript would keep on
 * its own stack (`a.count` in `a.count + (yield* f())`) goes into a local, and a `for…of` that yields inside
 * becomes a loop over a cursor. What is left has all its control state in the position and the locals.
 */
import type tsTypes from "typescript";
import type { Source } from "./source.js";
import { bare, commaOf, eachAssignment, hasYield, isAssignmentOperator, isClosure, isStep } from "./syntax.js";
import { ts } from "./typescript.js";
import { eachLocal, type Variable, type Variables } from "./variables.js";

export interface Lowering {
  readonly source: Source;
  readonly variables: Variables;
  readonly context: tsTypes.TransformationContext;
  /** Off only in tests that show why operands must be spilled. */
  readonly spill: boolean;
  /** Receives every loop that became a cursor loop. */
  readonly cursorLoops: Map<tsTypes.ForStatement, CursorLoop>;
}

/** A `for…of` that became a loop over a cursor. */
export interface CursorLoop {
  readonly original: tsTypes.ForOfStatement;
  readonly sequence: Variable;
  readonly cursor: Variable;
}

export function lowerBody(body: tsTypes.Block, lowering: Lowering): tsTypes.Block {
  return lowerStatement(body, lowering) as tsTypes.Block;
}

function lowerStatement(node: tsTypes.Node, l: Lowering): tsTypes.Node {
  if (!hasYield(node)) return node;
  if (ts.isExpression(node)) return lower(node, l);
  if (ts.isForOfStatement(node) && hasYield(node.statement)) return lowerForOf(node, l);
  if (ts.isCaseClause(node) && hasYield(node.expression)) {
    l.source.refuse("pending-operand", node.expression, "a case label yields while the value it is compared with is pending");
  }
  if (ts.isVariableDeclaration(node) && !ts.isIdentifier(node.name) && hasYield(node.name)) {
    l.source.refuse("pending-operand", node.name, "a default value inside a destructuring yields");
  }
  return ts.visitEachChild(node, (child) => lowerStatement(child, l), l.context);
}

/**
 * `for (const x of e) body` → `for (s = e, c = first(s); c !== null; c = next(s, c)) { let x = item(s, c); body }`.
 * The calls to the runtime are put in by `emit`; here the loop's header only holds the walked expression.
 */
function lowerForOf(node: tsTypes.ForOfStatement, l: Lowering): tsTypes.ForStatement {
  const f = ts.factory;
  const text = node.expression.getText(l.source.file);
  const sequence = l.variables.add(text);
  const cursor = l.variables.add(`cursor of ${text}`);
  const loop = f.createForStatement(
    lower(node.expression, l),
    undefined,
    undefined,
    lowerStatement(node.statement, l) as tsTypes.Statement,
  );
  ts.setOriginalNode(loop, node);
  ts.setSourceMapRange(loop, node);
  l.cursorLoops.set(loop, { original: node, sequence, cursor });
  return loop;
}

/** One of the operands that an expression evaluates, left to right. */
interface Operand {
  readonly expression: tsTypes.Expression;
  /** `...expression`: what is pending is the walk over it. */
  readonly spread?: boolean;
}

function lower(node: tsTypes.Expression, l: Lowering): tsTypes.Expression {
  if (!hasYield(node)) return node;
  if (!l.spill) return ts.visitEachChild(node, (child) => lowerStatement(child, l), l.context);
  const f = ts.factory;

  if (ts.isYieldExpression(node)) return lowerYield(node, l);

  if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken.kind;
    if (isAssignmentOperator(operator)) return lowerAssignment(node, l);
    // The left side of these is used up before the right side starts, so nothing is pending.
    const usesUpLeft: readonly tsTypes.SyntaxKind[] = [
      ts.SyntaxKind.AmpersandAmpersandToken,
      ts.SyntaxKind.BarBarToken,
      ts.SyntaxKind.QuestionQuestionToken,
      ts.SyntaxKind.CommaToken,
    ];
    if (usesUpLeft.includes(operator)) return f.updateBinaryExpression(node, lower(node.left, l), node.operatorToken, lower(node.right, l));
    return inOrder([{ expression: node.left }, { expression: node.right }], l, ([left, right]) =>
      f.updateBinaryExpression(node, left as tsTypes.Expression, node.operatorToken, right as tsTypes.Expression),
    );
  }

  if (ts.isCallExpression(node)) {
    const callee = reference(bare(node.expression), l);
    const args = node.arguments.map(asOperand);
    return inOrder([...callee.operands, ...args], l, (values) => {
      const target = callee.rebuild(values.slice(0, callee.operands.length));
      return f.updateCallExpression(node, target, undefined, values.slice(callee.operands.length));
    });
  }
  if (ts.isNewExpression(node)) {
    return inOrder([{ expression: node.expression }, ...(node.arguments ?? []).map(asOperand)], l, ([target, ...args]) =>
      f.updateNewExpression(node, target as tsTypes.Expression, undefined, args),
    );
  }
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
    const place = reference(node, l);
    return inOrder(place.operands, l, place.rebuild);
  }
  if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(node)) {
    const place = reference(bare(node.operand), l);
    return inOrder(place.operands, l, (values) => {
      const operand = place.rebuild(values) as tsTypes.LeftHandSideExpression;
      return ts.isPrefixUnaryExpression(node)
        ? f.updatePrefixUnaryExpression(node, operand)
        : f.updatePostfixUnaryExpression(node, operand);
    });
  }
  if (ts.isDeleteExpression(node)) {
    const place = reference(bare(node.expression), l);
    return inOrder(place.operands, l, (values) => f.updateDeleteExpression(node, place.rebuild(values) as tsTypes.UnaryExpression));
  }
  if (ts.isArrayLiteralExpression(node)) {
    return inOrder(node.elements.map(asOperand), l, (values) => f.updateArrayLiteralExpression(node, values));
  }
  if (ts.isObjectLiteralExpression(node)) return lowerObject(node, l);
  if (ts.isTemplateExpression(node)) {
    const operands = node.templateSpans.map((span) => ({ expression: span.expression }));
    return inOrder(operands, l, (values) =>
      f.updateTemplateExpression(
        node,
        node.head,
        node.templateSpans.map((span, i) => f.updateTemplateSpan(span, values[i] as tsTypes.Expression, span.literal)),
      ),
    );
  }

  const onlyOneAtATime =
    ts.isConditionalExpression(node) ||
    ts.isParenthesizedExpression(node) ||
    ts.isPrefixUnaryExpression(node) ||
    ts.isTypeOfExpression(node) ||
    ts.isVoidExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node) ||
    ts.isNonNullExpression(node) ||
    ts.isTypeAssertionExpression(node);
  if (onlyOneAtATime) return ts.visitEachChild(node, (child) => lowerStatement(child, l), l.context);

  return l.source.refuse("pending-operand", node, "a yield stands inside an expression that cannot be taken apart");
}

/**
 * Waits hold on to their operands: a guard reads what it captured, a lock is the one it was called with. So the
 * operands are reduced to locals, which `flow` keeps live over the wait. A property is left as it is read from
 * the object: `mutex_lock(group.mutex)` names a place in `group`, and the place is determined by `group`.
 */
function lowerYield(node: tsTypes.YieldExpression, l: Lowering): tsTypes.Expression {
  const f = ts.factory;
  const operand = node.expression && bare(node.expression);
  if (!operand) return node;
  const native = ts.isCallExpression(operand) && isLanguageCall(operand, l.source);
  if (!node.asteriskToken && !native && !isLiteral(operand)) {
    l.source.refuse("wait-operand", node, "what is yielded is neither nothing nor a wait of the language");
  }
  if (!native) return f.updateYieldExpression(node, node.asteriskToken, lower(operand, l));

  const prefix: tsTypes.Expression[] = [];
  const args = operand.arguments.map((argument, i) => {
    const later = operand.arguments.slice(i + 1);
    const value = bare(argument);
    if (ts.isPropertyAccessExpression(value) && node.asteriskToken) {
      const object = isStable(value.expression, later, l) ? value.expression : spill(value.expression, false, prefix, l);
      return f.updatePropertyAccessExpression(value, object, value.name);
    }
    return isStable(argument, later, l) ? argument : spill(argument, ts.isSpreadElement(argument), prefix, l);
  });
  const call = f.updateCallExpression(operand, operand.expression, undefined, args);
  return afterwards(prefix, f.updateYieldExpression(node, node.asteriskToken, call));
}

/** Whether the callee is a name imported from "iommu-mc". */
export function isLanguageCall(call: tsTypes.CallExpression, source: Source): boolean {
  const callee = bare(call.expression);
  const name = ts.isPropertyAccessExpression(callee) ? bare(callee.expression) : callee;
  if (!ts.isIdentifier(name)) return false;
  const declaration = source.symbolOf(name)?.declarations?.[0];
  const imported = declaration && ts.findAncestor(declaration, ts.isImportDeclaration);
  return imported !== undefined && ts.isStringLiteral(imported.moduleSpecifier) && imported.moduleSpecifier.text === "iommu-mc";
}

function lowerAssignment(node: tsTypes.BinaryExpression, l: Lowering): tsTypes.Expression {
  const f = ts.factory;
  const target = bare(node.left);
  const isPattern = ts.isArrayLiteralExpression(target) || ts.isObjectLiteralExpression(target);
  if (isPattern) {
    if (hasYield(target)) l.source.refuse("pending-operand", target, "a yield stands inside a destructuring assignment's target");
    return f.updateBinaryExpression(node, node.left, node.operatorToken, lower(node.right, l));
  }
  const place = reference(target, l);
  const operator = node.operatorToken.kind;
  const isPlain = operator === ts.SyntaxKind.EqualsToken;
  if (isPlain || !hasYield(node.right)) {
    return inOrder([...place.operands, { expression: node.right }], l, (values) =>
      f.updateBinaryExpression(
        node,
        place.rebuild(values.slice(0, -1)),
        node.operatorToken,
        values[values.length - 1] as tsTypes.Expression,
      ),
    );
  }

  // `x op= (yield)`: the old value of x is read before the yield and needed after it.
  const prefix: tsTypes.Expression[] = [];
  const values = place.operands.map(({ expression }, i) => {
    const later = [...place.operands.slice(i + 1).map((operand) => operand.expression), node.right];
    return isStable(expression, later, l) ? expression : spill(expression, false, prefix, l);
  });
  const shortcut = shortcutOf(operator);
  if (shortcut) {
    const inner: tsTypes.Expression[] = [];
    const right = spill(node.right, false, inner, l);
    const assign = afterwards(inner, f.createAssignment(place.rebuild(values), right));
    return afterwards(prefix, f.createBinaryExpression(place.rebuild(values), shortcut, assign));
  }
  const old = spill(place.rebuild(values), false, prefix, l, node.left.getText(l.source.file));
  const right = spill(node.right, false, prefix, l);
  const result = f.createBinaryExpression(old, plainOperator(operator), right);
  return afterwards(prefix, f.createAssignment(place.rebuild(values), result));
}

function lowerObject(node: tsTypes.ObjectLiteralExpression, l: Lowering): tsTypes.Expression {
  const f = ts.factory;
  const last = node.properties.findLastIndex((property) => hasYield(property));
  const operands: Operand[] = [];
  // For each property, how many operands it takes, and how it is put together from their values.
  const parts: { count: number; rebuild: (values: readonly tsTypes.Expression[]) => tsTypes.ObjectLiteralElementLike }[] = [];
  const part = (
    own: readonly tsTypes.Expression[],
    rebuild: (values: readonly tsTypes.Expression[]) => tsTypes.ObjectLiteralElementLike,
  ) => {
    operands.push(...own.map((expression) => ({ expression })));
    parts.push({ count: own.length, rebuild });
  };
  node.properties.forEach((property, i) => {
    if (ts.isPropertyAssignment(property)) {
      const { name } = property;
      if (ts.isComputedPropertyName(name)) {
        part([name.expression, property.initializer], ([key, value]) =>
          f.updatePropertyAssignment(property, f.updateComputedPropertyName(name, key as tsTypes.Expression), value as tsTypes.Expression),
        );
      } else {
        part([property.initializer], ([value]) => f.updatePropertyAssignment(property, name, value as tsTypes.Expression));
      }
    } else if (ts.isShorthandPropertyAssignment(property)) {
      const { name } = property;
      part([name], ([value]) => (value === name ? property : f.createPropertyAssignment(name.text, value as tsTypes.Expression)));
    } else if (ts.isSpreadAssignment(property)) {
      if (i < last) l.source.refuse("pending-operand", property, "an object is spread before a yield in the same literal");
      part([property.expression], ([value]) => f.updateSpreadAssignment(property, value as tsTypes.Expression));
    } else part([], () => property);
  });
  return inOrder(operands, l, (values) => {
    let from = 0;
    const properties = parts.map(({ count, rebuild }) => {
      const own = values.slice(from, from + count);
      from += count;
      return rebuild(own);
    });
    return f.updateObjectLiteralExpression(node, properties);
  });
}

/**
 * A place that is assigned to, called or accessed: the operands that say which place, and the place put
 * together from their values. A method is looked up after the arguments were evaluated, not before: a function
 * cannot be part of a saved state.
 */
function reference(
  node: tsTypes.Expression,
  l: Lowering,
): { operands: readonly Operand[]; rebuild: (values: readonly tsTypes.Expression[]) => tsTypes.Expression } {
  const f = ts.factory;
  if (ts.isPropertyAccessExpression(node)) {
    return {
      operands: [{ expression: node.expression }],
      rebuild: ([object]) => f.updatePropertyAccessExpression(node, object as tsTypes.Expression, node.name),
    };
  }
  if (ts.isElementAccessExpression(node)) {
    return {
      operands: [{ expression: node.expression }, { expression: node.argumentExpression }],
      rebuild: ([object, key]) => f.updateElementAccessExpression(node, object as tsTypes.Expression, key as tsTypes.Expression),
    };
  }
  const variable = l.variables.of(node);
  if (variable || ts.isIdentifier(node)) return { operands: [], rebuild: () => node };
  return { operands: [{ expression: node }], rebuild: ([value]) => value as tsTypes.Expression };
}

function asOperand(node: tsTypes.Expression): Operand {
  return ts.isSpreadElement(node) ? { expression: node.expression, spread: true } : { expression: node };
}

/**
 * Evaluates the operands left to right up to the last one that yields, each into a local, and only then puts the
 * expression together. The result of the last yield needs a local too: in `a.owner = $1` JavaScript reads `a`
 * first, so that `a` would be pending if the yield stood in the place of `$1`.
 */
function inOrder(
  operands: readonly Operand[],
  l: Lowering,
  rebuild: (values: readonly tsTypes.Expression[]) => tsTypes.Expression,
): tsTypes.Expression {
  const last = operands.findLastIndex((operand) => hasYield(operand.expression));
  const pending = operands.slice(0, last).some((operand) => operand.spread || !isConstant(operand.expression, l));
  const prefix: tsTypes.Expression[] = [];
  const values = operands.map(({ expression, spread = false }, i) => {
    const wrap = (value: tsTypes.Expression) => (spread ? ts.factory.createSpreadElement(value) : value);
    if (i > last) return wrap(expression);
    if (i === last && !pending) return wrap(lower(expression, l));
    const later = operands.slice(i + 1, last + 1).map((operand) => operand.expression);
    return !spread && isStable(expression, later, l) ? expression : spill(expression, spread, prefix, l);
  });
  return afterwards(prefix, rebuild(values));
}

/** Adds `local = expression` to the prefix, and gives what stands for the value from then on. */
function spill(
  node: tsTypes.Expression,
  spread: boolean,
  prefix: tsTypes.Expression[],
  l: Lowering,
  text = (ts.getOriginalNode(node) as tsTypes.Expression).getText(l.source.file),
): tsTypes.Expression {
  const f = ts.factory;
  const inner = ts.isSpreadElement(node) ? node.expression : node;
  const variable = l.variables.add(text);
  const value = lower(inner, l);
  const assignment = f.createAssignment(
    l.variables.mention(variable),
    spread ? f.createArrayLiteralExpression([f.createSpreadElement(value)]) : value,
  );
  ts.setSourceMapRange(assignment, node);
  prefix.push(assignment);
  const mention = l.variables.mention(variable);
  return spread ? f.createSpreadElement(mention) : mention;
}

function afterwards(prefix: readonly tsTypes.Expression[], result: tsTypes.Expression): tsTypes.Expression {
  if (prefix.length === 0) return result;
  return ts.factory.createParenthesizedExpression(commaOf([...prefix, result]));
}

function isLiteral(node: tsTypes.Expression): boolean {
  return (
    ts.isLiteralExpression(node) ||
    node.kind === ts.SyntaxKind.TrueKeyword ||
    node.kind === ts.SyntaxKind.FalseKeyword ||
    node.kind === ts.SyntaxKind.NullKeyword
  );
}

/** Whether the operand is the same whenever it is evaluated, and whatever the locals are. */
function isConstant(node: tsTypes.Expression, l: Lowering): boolean {
  let mentionsLocal = false;
  eachLocal(node, l.variables, () => {
    mentionsLocal = true;
  });
  return !mentionsLocal && isStable(node, [], l);
}

/**
 * Whether evaluating the operand after `later` gives the same as evaluating it before: it reads nothing but
 * constants and locals that `later` does not assign.
 */
function isStable(node: tsTypes.Expression, later: readonly tsTypes.Expression[], l: Lowering): boolean {
  const inner = bare(node);
  const stable = (part: tsTypes.Expression) => isStable(part, later, l);
  if (isLiteral(inner) || isClosure(inner)) return true;
  if (ts.isIdentifier(inner)) {
    const variable = l.variables.of(inner);
    if (!variable) return true;
    let assigned = false;
    for (const part of later) {
      eachAssignment(part, (target) => {
        if (l.variables.of(target) === variable) assigned = true;
      });
    }
    return !assigned;
  }
  if (ts.isPrefixUnaryExpression(inner)) return !isStep(inner) && stable(inner.operand);
  if (ts.isTypeOfExpression(inner) || ts.isVoidExpression(inner)) return stable(inner.expression);
  if (ts.isBinaryExpression(inner)) {
    return !isAssignmentOperator(inner.operatorToken.kind) && stable(inner.left) && stable(inner.right);
  }
  if (ts.isConditionalExpression(inner)) return stable(inner.condition) && stable(inner.whenTrue) && stable(inner.whenFalse);
  if (ts.isArrayLiteralExpression(inner)) return inner.elements.every((element) => !ts.isSpreadElement(element) && stable(element));
  if (ts.isObjectLiteralExpression(inner)) {
    return inner.properties.every(
      (property) =>
        (ts.isPropertyAssignment(property) && !ts.isComputedPropertyName(property.name) && stable(property.initializer)) ||
        (ts.isShorthandPropertyAssignment(property) && stable(property.name)),
    );
  }
  return false;
}

function shortcutOf(operator: tsTypes.SyntaxKind): tsTypes.BinaryOperator | undefined {
  if (operator === ts.SyntaxKind.AmpersandAmpersandEqualsToken) return ts.SyntaxKind.AmpersandAmpersandToken;
  if (operator === ts.SyntaxKind.BarBarEqualsToken) return ts.SyntaxKind.BarBarToken;
  if (operator === ts.SyntaxKind.QuestionQuestionEqualsToken) return ts.SyntaxKind.QuestionQuestionToken;
  return undefined;
}

/** `+` of `+=`. */
function plainOperator(operator: tsTypes.SyntaxKind): tsTypes.BinaryOperator {
  const text = ts.tokenToString(operator) as string;
  for (let kind = ts.SyntaxKind.FirstBinaryOperator; kind <= ts.SyntaxKind.LastBinaryOperator; kind++) {
    if (ts.tokenToString(kind) === text.slice(0, -1)) return kind as tsTypes.BinaryOperator;
  }
  throw new Error(`no operator in ${text}`);
}
