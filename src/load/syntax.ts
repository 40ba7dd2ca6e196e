/** Small questions about syntax that several passes ask. */
import type tsTypes from "typescript";
import { ts } from "./typescript.js";

export type GeneratorNode = (tsTypes.FunctionDeclaration | tsTypes.FunctionExpression) & { readonly body: tsTypes.Block };

export function isGenerator(node: tsTypes.Node): node is GeneratorNode {
  return (ts.isFunctionDeclaration(node) || ts.isFunctionExpression(node)) && node.asteriskToken !== undefined && node.body !== undefined;
}

/** Parentheses, `as`, `satisfies` and `!` removed: they do nothing at run time. */
export function bare(node: tsTypes.Expression): tsTypes.Expression {
  const isWrapper =
    ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node) ||
    ts.isNonNullExpression(node) ||
    ts.isTypeAssertionExpression(node);
  return isWrapper ? bare(node.expression) : node;
}

/** `=`, `+=`, `&&=` and the like. */
export function isAssignmentOperator(kind: tsTypes.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

/** `$rt.name(…)`, a call to the checker's runtime. */
export function runtimeCall(name: string, ...args: readonly tsTypes.Expression[]): tsTypes.CallExpression {
  const f = ts.factory;
  return f.createCallExpression(f.createPropertyAccessExpression(f.createIdentifier("$rt"), name), undefined, args);
}

/** `a, b, c` */
export function commaOf(parts: readonly tsTypes.Expression[]): tsTypes.Expression {
  return parts.reduce((left, right) => ts.factory.createComma(left, right));
}

export function isClosure(node: tsTypes.Node): node is tsTypes.ArrowFunction | tsTypes.FunctionExpression {
  return ts.isArrowFunction(node) || ts.isFunctionExpression(node);
}

/** Whether evaluating the node may yield; what a function literal does in its own time does not count. */
export function hasYield(node: tsTypes.Node): boolean {
  if (ts.isYieldExpression(node)) return true;
  if (ts.isFunctionLike(node)) return false;
  return ts.forEachChild(node, (child) => hasYield(child) || undefined) === true;
}

/** Whether an identifier stands for the value of a variable, as opposed to naming a property, a label or a type. */
export function isValueName(node: tsTypes.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isBindingElement(parent)) return parent.propertyName !== node;
  if (ts.isMethodDeclaration(parent) || ts.isAccessor(parent) || ts.isEnumMember(parent)) return parent.name !== node;
  if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent)) return false;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isMetaProperty(parent)) return false;
  return true;
}

/** Every identifier under `node` that stands for a value; types are not looked into. */
export function eachValueName(node: tsTypes.Node, action: (name: tsTypes.Identifier) => void): void {
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
  if (ts.isIdentifier(node)) {
    if (isValueName(node)) action(node);
    return;
  }
  ts.forEachChild(node, (child) => eachValueName(child, action));
}

/** The variables that an assignment target or a declared pattern names, left to right. */
export function boundNames(pattern: tsTypes.BindingName): tsTypes.Identifier[] {
  if (ts.isIdentifier(pattern)) return [pattern];
  return pattern.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

/** Every assignment and `++`/`--` under `node`, with what is assigned to (patterns taken apart). */
export function eachAssignment(node: tsTypes.Node, action: (target: tsTypes.Expression) => void): void {
  if (ts.isBinaryExpression(node) && isAssignmentOperator(node.operatorToken.kind)) eachTarget(node.left, action);
  else if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(node)) eachTarget(node.operand, action);
  else if (ts.isForOfStatement(node) && !ts.isVariableDeclarationList(node.initializer)) eachTarget(node.initializer, action);
  else if (ts.isDeleteExpression(node)) eachTarget(node.expression, action);
  ts.forEachChild(node, (child) => eachAssignment(child, action));
}

export function isStep(node: tsTypes.PrefixUnaryExpression | tsTypes.PostfixUnaryExpression): boolean {
  return node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken;
}

function eachTarget(target: tsTypes.Expression, action: (target: tsTypes.Expression) => void): void {
  const node = bare(target);
  if (ts.isArrayLiteralExpression(node)) for (const element of node.elements) eachTarget(element, action);
  else if (ts.isSpreadElement(node)) eachTarget(node.expression, action);
  else if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken) eachTarget(node.left, action);
  else if (ts.isObjectLiteralExpression(node)) {
    for (const property of node.properties) {
      if (ts.isPropertyAssignment(property)) eachTarget(property.initializer, action);
      else if (ts.isShorthandPropertyAssignment(property)) action(property.name);
      else if (ts.isSpreadAssignment(property)) eachTarget(property.expression, action);
    }
  } else action(node);
}

/** The identifier an access path starts from: `a` of `a.b[c].d`. */
export function rootName(node: tsTypes.Expression): tsTypes.Identifier | undefined {
  const inner = bare(node);
  if (ts.isIdentifier(inner)) return inner;
  if (ts.isPropertyAccessExpression(inner) || ts.isElementAccessExpression(inner)) return rootName(inner.expression);
  return undefined;
}
