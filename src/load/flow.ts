/**
 * The control flow of one lowered procedure: in which orders its locals can be read and written, and where it
 * yields. Walks the body in evaluation order and connects each event to those that may come before it.
 */
import type tsTypes from "typescript";
import type { FlowNode } from "./liveness.js";
import { type CursorLoop, isLanguageCall } from "./lower.js";
import type { Source } from "./source.js";
import { bare, isAssignmentOperator, isStep } from "./syntax.js";
import { ts } from "./typescript.js";
import { eachCapture, eachLocal, type Variable, type Variables } from "./variables.js";

export interface YieldPoint {
  readonly node: tsTypes.YieldExpression;
  /** Number of its flow node. */
  readonly flow: number;
  /** Locals declared and initialised here; any other would be in its dead zone. */
  readonly initialised: readonly Variable[];
}

export interface Flow {
  readonly nodes: readonly FlowNode[];
  readonly yields: readonly YieldPoint[];
}

export interface FlowOptions {
  readonly source: Source;
  readonly variables: Variables;
  readonly cursorLoops: ReadonlyMap<tsTypes.ForStatement, CursorLoop>;
  /** Off only in tests that show why what a guard captures must be live. */
  readonly guardCaptures: boolean;
}

/** Where a jump inside a loop, switch or labelled statement leads; `continues` is null where `continue` means nothing. */
interface JumpTarget {
  readonly labels: readonly string[];
  /** Whether a `break` without a label means this one. */
  readonly takesBreak: boolean;
  readonly breaks: number[];
  readonly continues: number[] | null;
}

export function flowOf(body: tsTypes.Block, options: FlowOptions): Flow {
  const { source, variables, cursorLoops, guardCaptures } = options;
  const nodes: FlowNode[] = [];
  const yields: YieldPoint[] = [];
  /** The nodes that control may come from; empty where it cannot come at all. */
  let from: number[] = [];
  const targets: JumpTarget[] = [];
  const initialised: Variable[] = [];
  let labels: string[] = [];

  function event(kind: FlowNode["kind"], ...of: readonly Variable[]): number {
    const id = nodes.length;
    nodes.push({ kind, variables: of.map((variable) => variable.index), successors: [] });
    for (const origin of from) (nodes[origin] as FlowNode).successors.push(id);
    from = [id];
    return id;
  }
  function jumpTo(id: number): void {
    for (const origin of from) (nodes[origin] as FlowNode).successors.push(id);
    from = [];
  }
  /** Runs each alternative from the same point and joins them. */
  function branch(...alternatives: readonly (() => void)[]): void {
    const start = from;
    const ends: number[] = [];
    for (const alternative of alternatives) {
      from = [...start];
      alternative();
      ends.push(...from);
    }
    from = ends;
  }
  const nothing = () => {};
  function scoped(action: () => void): void {
    const depth = initialised.length;
    action();
    initialised.length = depth;
  }
  function write(variable: Variable): void {
    event("write", variable);
  }

  function expression(node: tsTypes.Node): void {
    const variable = variables.of(node);
    if (variable) {
      event("read", variable);
      return;
    }
    if (ts.isTypeNode(node)) return;
    if (ts.isFunctionLike(node)) {
      // Whenever it runs, it may read all that it captures.
      eachLocal(node, variables, (captured) => event("read", captured));
      return;
    }
    if (ts.isYieldExpression(node)) yieldPoint(node);
    else if (ts.isBinaryExpression(node) && isAssignmentOperator(node.operatorToken.kind)) assignment(node);
    else if (ts.isBinaryExpression(node) && isLogical(node.operatorToken.kind)) {
      expression(node.left);
      branch(() => expression(node.right), nothing);
    } else if (ts.isConditionalExpression(node)) {
      expression(node.condition);
      branch(
        () => expression(node.whenTrue),
        () => expression(node.whenFalse),
      );
    } else if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(node)) {
      expression(node.operand);
      const stepped = variables.of(bare(node.operand));
      if (stepped) write(stepped);
    } else ts.forEachChild(node, expression);
  }

  function assignment(node: tsTypes.BinaryExpression): void {
    const target = bare(node.left);
    const variable = variables.of(target);
    const operator = node.operatorToken.kind;
    if (operator === ts.SyntaxKind.EqualsToken) {
      if (variable) {
        expression(node.right);
        write(variable);
      } else if (ts.isArrayLiteralExpression(target) || ts.isObjectLiteralExpression(target)) {
        expression(node.right);
        assignPattern(target);
      } else {
        expression(target);
        expression(node.right);
      }
      return;
    }
    expression(target);
    const assign = () => {
      expression(node.right);
      if (variable) write(variable);
    };
    if (isLogicalAssignment(operator)) branch(assign, nothing);
    else assign();
  }

  function assignPattern(target: tsTypes.Expression): void {
    const node = bare(target);
    const variable = variables.of(node);
    if (variable) write(variable);
    else if (ts.isArrayLiteralExpression(node)) node.elements.forEach(assignPattern);
    else if (ts.isSpreadElement(node)) assignPattern(node.expression);
    else if (ts.isBinaryExpression(node)) {
      branch(() => expression(node.right), nothing);
      assignPattern(node.left);
    } else if (ts.isObjectLiteralExpression(node)) {
      for (const property of node.properties) {
        if (ts.isPropertyAssignment(property)) {
          if (ts.isComputedPropertyName(property.name)) expression(property.name.expression);
          assignPattern(property.initializer);
        } else if (ts.isShorthandPropertyAssignment(property)) {
          const fallback = property.objectAssignmentInitializer;
          if (fallback) branch(() => expression(fallback), nothing);
          assignPattern(property.name);
        } else if (ts.isSpreadAssignment(property)) assignPattern(property.expression);
      }
    } else expression(node);
  }

  function declarePattern(name: tsTypes.BindingName): void {
    const variable = variables.of(name);
    if (variable) {
      write(variable);
      initialised.push(variable);
    } else if (!ts.isIdentifier(name)) {
      for (const element of name.elements) {
        if (!ts.isBindingElement(element)) continue;
        if (element.propertyName && ts.isComputedPropertyName(element.propertyName)) expression(element.propertyName.expression);
        const fallback = element.initializer;
        if (fallback) branch(() => expression(fallback), nothing);
        declarePattern(element.name);
      }
    }
  }

  function declarations(list: tsTypes.VariableDeclarationList): void {
    for (const declaration of list.declarations) {
      if (declaration.initializer) expression(declaration.initializer);
      declarePattern(declaration.name);
    }
  }

  function yieldPoint(node: tsTypes.YieldExpression): void {
    if (node.expression) expression(node.expression);
    yields.push({ node, flow: event("pass"), initialised: [...initialised] });
    if (!node.expression || !guardCaptures) return;
    // What the wait holds on to is read while the thread waits, which is after the yield as far as the state goes.
    const held = new Set<Variable>();
    const isWait = !node.asteriskToken || mentionsLanguageCall(node.expression);
    (isWait ? eachLocal : eachCapture)(node.expression, variables, (variable) => held.add(variable));
    if (held.size > 0) event("read", ...held);
  }

  function mentionsLanguageCall(node: tsTypes.Node): boolean {
    if (ts.isCallExpression(node) && isLanguageCall(node, source)) return true;
    return ts.forEachChild(node, (child) => mentionsLanguageCall(child) || undefined) === true;
  }

  /** A statement that `break` can leave. */
  function breakable(continues: number[] | null, takesBreak: boolean, action: (target: JumpTarget) => void): void {
    const target: JumpTarget = { labels, takesBreak, breaks: [], continues };
    labels = [];
    targets.push(target);
    action(target);
    targets.pop();
    from.push(...target.breaks);
  }

  interface Loop {
    /** Evaluates the condition; null where the loop has none and ends by jumps only. */
    readonly test: (() => void) | null;
    readonly body: () => void;
    readonly update?: () => void;
    readonly testLast?: boolean;
  }
  function loop({ test, body: loopBody, update, testLast = false }: Loop): void {
    const continues: number[] = [];
    breakable(continues, true, () => {
      const head = event("pass");
      const exits: number[] = [];
      const tested = () => {
        if (test) test();
        if (test) exits.push(...from);
      };
      if (!testLast) tested();
      scoped(loopBody);
      from.push(...continues);
      if (testLast) tested();
      update?.();
      jumpTo(head);
      from = exits;
    });
  }
  function condition(node: tsTypes.Expression | undefined): (() => void) | null {
    return node === undefined || bare(node).kind === ts.SyntaxKind.TrueKeyword ? null : () => expression(node);
  }

  function bindElement({ initializer }: tsTypes.ForOfStatement): void {
    if (!ts.isVariableDeclarationList(initializer)) assignPattern(initializer);
    else for (const declaration of initializer.declarations) declarePattern(declaration.name);
  }

  /** `for (s = e, c = first(s); c !== null; c = next(s, c)) { x = item(s, c); body }`, as `emit` writes it. */
  function cursorLoop(node: tsTypes.ForStatement, { original, sequence, cursor }: CursorLoop): void {
    expression(node.initializer as tsTypes.Expression);
    write(sequence);
    write(cursor);
    loop({
      test: () => event("read", cursor),
      body: () => {
        event("read", sequence, cursor);
        bindElement(original);
        statement(node.statement);
      },
      update: () => {
        event("read", sequence, cursor);
        write(cursor);
      },
    });
  }

  function forStatement({ initializer, condition: tested, incrementor, statement: loopBody }: tsTypes.ForStatement): void {
    scoped(() => {
      if (initializer && ts.isVariableDeclarationList(initializer)) declarations(initializer);
      else if (initializer) expression(initializer);
      loop({ test: condition(tested), body: () => statement(loopBody), update: () => incrementor && expression(incrementor) });
    });
  }

  function switchStatement(node: tsTypes.SwitchStatement): void {
    expression(node.expression);
    breakable(null, true, () => {
      const { clauses } = node.caseBlock;
      // Labels are compared in order until one matches; the default is entered when none did.
      const entries = new Map<tsTypes.CaseOrDefaultClause, number[]>();
      for (const clause of clauses) {
        if (ts.isCaseClause(clause)) {
          expression(clause.expression);
          entries.set(clause, [...from]);
        }
      }
      const unmatched = from;
      const fallback = clauses.find(ts.isDefaultClause);
      if (fallback) entries.set(fallback, [...unmatched]);
      from = [];
      for (const clause of clauses) {
        from.push(...(entries.get(clause) ?? []));
        scoped(() => clause.statements.forEach(statement));
      }
      if (!fallback) from.push(...unmatched);
    });
  }

  function jump(node: tsTypes.BreakOrContinueStatement): void {
    const label = node.label?.text;
    const isContinue = ts.isContinueStatement(node);
    const target = targets.findLast((candidate) =>
      label !== undefined ? candidate.labels.includes(label) : isContinue ? candidate.continues !== null : candidate.takesBreak,
    );
    const list = isContinue ? target?.continues : target?.breaks;
    list?.push(...from);
    from = [];
  }

  function statement(node: tsTypes.Node): void {
    if (!ts.isLabeledStatement(node) && !ts.isIterationStatement(node, false) && !ts.isSwitchStatement(node)) labels = [];

    if (ts.isBlock(node)) scoped(() => node.statements.forEach(statement));
    else if (ts.isVariableStatement(node)) declarations(node.declarationList);
    else if (ts.isExpressionStatement(node)) expression(node.expression);
    else if (ts.isIfStatement(node)) {
      expression(node.expression);
      branch(
        () => statement(node.thenStatement),
        () => node.elseStatement && statement(node.elseStatement),
      );
    } else if (ts.isWhileStatement(node)) loop({ test: condition(node.expression), body: () => statement(node.statement) });
    else if (ts.isDoStatement(node)) loop({ test: condition(node.expression), body: () => statement(node.statement), testLast: true });
    else if (ts.isForStatement(node)) {
      const cursor = cursorLoops.get(node);
      if (cursor) cursorLoop(node, cursor);
      else forStatement(node);
    } else if (ts.isForOfStatement(node)) {
      expression(node.expression);
      loop({
        test: nothing,
        body: () => {
          bindElement(node);
          statement(node.statement);
        },
      });
    } else if (ts.isSwitchStatement(node)) switchStatement(node);
    else if (ts.isLabeledStatement(node)) {
      const { label } = node;
      if (ts.isLabeledStatement(node.statement) || ts.isIterationStatement(node.statement, false)) {
        labels.push(label.text);
        statement(node.statement);
      } else {
        labels = [label.text];
        breakable(null, false, () => statement(node.statement));
      }
    } else if (ts.isBreakOrContinueStatement(node)) jump(node);
    else if (ts.isReturnStatement(node) || ts.isThrowStatement(node)) {
      if (node.expression) expression(node.expression);
      from = [];
    } else if (!ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node)) ts.forEachChild(node, statement);
  }

  event("pass");
  for (const variable of [...variables.parameters, ...variables.added]) {
    write(variable);
    initialised.push(variable);
  }
  statement(body);
  return { nodes, yields };
}

function isLogical(operator: tsTypes.SyntaxKind): boolean {
  return (
    operator === ts.SyntaxKind.AmpersandAmpersandToken ||
    operator === ts.SyntaxKind.BarBarToken ||
    operator === ts.SyntaxKind.QuestionQuestionToken
  );
}

function isLogicalAssignment(operator: tsTypes.SyntaxKind): boolean {
  return (
    operator === ts.SyntaxKind.AmpersandAmpersandEqualsToken ||
    operator === ts.SyntaxKind.BarBarEqualsToken ||
    operator === ts.SyntaxKind.QuestionQuestionEqualsToken
  );
}
