/** Refuses what a model file may not contain, wherever it stands in the file. */
import type tsTypes from "typescript";
import type { Source } from "./source.js";
import { bare, eachAssignment, eachValueName, hasYield, isClosure, isGenerator, isValueName, rootName } from "./syntax.js";
import { ts } from "./typescript.js";

/** Globals whose answer is not a function of the state, or that reach outside the model. */
const impureGlobals: Readonly<Record<string, string>> = {
  Date: "the clock",
  performance: "the clock",
  Intl: "the machine's locale",
  crypto: "randomness",
  process: "the process",
  require: "modules at run time",
  module: "the loader",
  exports: "the loader",
  global: "the global object",
  globalThis: "the global object",
  window: "the global object",
  self: "the global object",
  fetch: "the network",
  XMLHttpRequest: "the network",
  WebSocket: "the network",
  Worker: "another thread",
  SharedArrayBuffer: "shared memory",
  Atomics: "shared memory",
  WeakRef: "the garbage collector",
  FinalizationRegistry: "the garbage collector",
  Promise: "the event loop",
  setTimeout: "the event loop",
  setInterval: "the event loop",
  setImmediate: "the event loop",
  clearTimeout: "the event loop",
  clearInterval: "the event loop",
  queueMicrotask: "the event loop",
  $rt: "the checker's own runtime",
  $entered: "the checker's own runtime",
};

const codeFromStrings = new Set(["eval", "Function"]);

/** Methods that change the array, map or set they are called on. */
const mutators = new Set("push pop shift unshift splice sort reverse fill copyWithin set add delete clear".split(" "));

export function refuseForbidden(source: Source): void {
  for (const statement of source.file.statements) refuseMutableModuleVariable(statement, source);
  const visit = (node: tsTypes.Node): void => {
    if (ts.isTypeNode(node)) return;
    refuseSyntax(node, source);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source.file, visit);
  refuseAssignments(source);
}

function refuseMutableModuleVariable(statement: tsTypes.Statement, source: Source): void {
  if (!ts.isVariableStatement(statement) || statement.declarationList.flags & ts.NodeFlags.Const) return;
  if (statement.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.DeclareKeyword)) return;
  source.refuse("mutable-module-variable", statement, "a variable at the top level of a model file can change");
}

function refuseSyntax(node: tsTypes.Node, source: Source): void {
  if (ts.isTryStatement(node)) source.refuse("try-catch", node, "`try` in a model file");
  if (node.kind === ts.SyntaxKind.ThisKeyword) source.refuse("this", node, "`this` in a model file");
  if (ts.isClassLike(node)) source.refuse("class", node, "a class in a model file");
  if (ts.isForInStatement(node)) source.refuse("for-in", node, "`for…in` in a model file");
  if (ts.isWithStatement(node)) source.refuse("unknown-code", node, "`with` in a model file");
  if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier))
    source.refuse("async", node, "`await` in a model file");
  if (node.kind === ts.SyntaxKind.AsyncKeyword) source.refuse("async", node, "`async` in a model file");
  if ("questionDotToken" in node && node.questionDotToken && ts.isOptionalChain(node))
    source.refuse("optional-chaining", node, `\`?.\` in a model file: ${node.getText(source.file)}`);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    source.refuse("dynamic-import", node, "`import(...)` in a model file");
  }
  if (ts.isMetaProperty(node)) source.refuse("impure", node, `\`${node.getText(source.file)}\` in a model file`);
  if (ts.isVariableDeclarationList(node) && !(node.flags & ts.NodeFlags.BlockScoped)) {
    source.refuse("var", node, "`var` has no block of its own");
  }
  if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.BlockScoped & ~ts.NodeFlags.Const) === ts.NodeFlags.Using) {
    source.refuse("using", node, "`using` in a model file");
  }
  if (ts.isParameter(node) && node.name.getText(source.file) === "this") source.refuse("this", node, "a `this` parameter in a model file");
  if (ts.isImportDeclaration(node)) refuseImport(node, source);
  if (ts.isExportDeclaration(node) && node.moduleSpecifier && !node.isTypeOnly) refuseSpecifier(node.moduleSpecifier, source);
  if (ts.isImportEqualsDeclaration(node)) source.refuse("foreign-import", node, "`import x = ...` in a model file");
  if (ts.isIdentifier(node) && isValueName(node)) refuseGlobal(node, source);
  if (ts.isPropertyAccessExpression(node) && node.name.text === "random" && node.expression.getText(source.file) === "Math") {
    source.refuse("impure", node, "`Math.random` in a model file: randomness");
  }
  if (ts.isMethodDeclaration(node) && node.asteriskToken) {
    source.refuse("generator-method", node, `\`*${node.name.getText(source.file)}\` is a procedure written as a method`);
  }
  if (ts.isFunctionLike(node)) refuseKeptVariables(node, source);
  if (isGenerator(node)) refuseInProcedure(node, source);
}

/** Whether the import brings in types only, and so does nothing at run time. */
export function isTypeOnlyImport(node: tsTypes.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const { namedBindings } = clause;
  if (clause.name || !namedBindings || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly);
}

function refuseImport(node: tsTypes.ImportDeclaration, source: Source): void {
  if (!isTypeOnlyImport(node)) refuseSpecifier(node.moduleSpecifier, source);
}

function refuseSpecifier(specifier: tsTypes.Expression, source: Source): void {
  const name = ts.isStringLiteral(specifier) ? specifier.text : "";
  if (name === "iommu-mc" || /^\.\.?\//.test(name)) return;
  source.refuse("foreign-import", specifier, `a model file imports "${name}"`);
}

function refuseGlobal(node: tsTypes.Identifier, source: Source): void {
  const { text } = node;
  const suspicious = text === "arguments" || codeFromStrings.has(text) || Object.hasOwn(impureGlobals, text);
  if (!suspicious || source.symbolOf(node)) return;
  if (text === "arguments") source.refuse("arguments", node, "`arguments` in a model file");
  if (codeFromStrings.has(text)) source.refuse("unknown-code", node, `\`${text}\` in a model file`);
  source.refuse("impure", node, `\`${text}\` in a model file: ${impureGlobals[text]}`);
}

function refuseInProcedure(procedure: tsTypes.FunctionDeclaration | tsTypes.FunctionExpression, source: Source): void {
  const name = procedure.name?.text ?? "a procedure";
  if (!isAtTopLevel(procedure)) source.refuse("nested-generator", procedure, `${name} is not at the top level of its file`);
  for (const parameter of procedure.parameters) {
    if (hasYield(parameter)) source.refuse("yield-in-default", parameter, `a default value of ${name} yields`);
  }
  const visit = (node: tsTypes.Node): void => {
    if (ts.isFunctionDeclaration(node) && !isGenerator(node))
      source.refuse("nested-function", node, `${node.name?.text ?? "a function"} is declared inside ${name}`);
    if (ts.isCaseBlock(node)) refuseSharedCaseScope(node, source);
    ts.forEachChild(node, visit);
  };
  if (procedure.body) ts.forEachChild(procedure.body, visit);
}

/** A function declaration of the file, or the value of one of its constants. */
function isAtTopLevel(procedure: tsTypes.Node): boolean {
  if (ts.isFunctionDeclaration(procedure)) return ts.isSourceFile(procedure.parent);
  let outer = procedure.parent;
  while (ts.isExpression(outer)) outer = outer.parent;
  const direct = ts.isVariableDeclaration(outer) && outer.initializer !== undefined && bare(outer.initializer) === procedure;
  return direct && ts.isVariableStatement(outer.parent.parent) && ts.isSourceFile(outer.parent.parent.parent);
}

/** The clauses of a switch share one scope: entering at a later one skips the declaration but not the name. */
function refuseSharedCaseScope(block: tsTypes.CaseBlock, source: Source): void {
  for (const clause of block.clauses) {
    for (const statement of clause.statements) {
      if (!ts.isVariableStatement(statement)) continue;
      const declared = new Set<tsTypes.Symbol>();
      const collect = (node: tsTypes.Node): void => {
        if (ts.isIdentifier(node)) {
          const symbol = source.symbolOf(node);
          if (symbol) declared.add(symbol);
        } else if (ts.isBindingElement(node)) collect(node.name);
        else if (ts.isObjectBindingPattern(node) || ts.isArrayBindingPattern(node)) node.elements.forEach(collect);
      };
      for (const declaration of statement.declarationList.declarations) collect(declaration.name);
      const look = (node: tsTypes.Node): void => {
        if (ts.isIdentifier(node) && isValueName(node)) {
          const symbol = source.symbolOf(node);
          if (symbol && declared.has(symbol)) source.refuse("case-scope", node, `${node.text} is declared in another case of the switch`);
        }
        ts.forEachChild(node, look);
      };
      for (const other of block.clauses) if (other !== clause) look(other);
    }
  }
}

/**
 * A function that is handed out and changes what it captured keeps a variable of its own from call to call. One
 * that is used on the spot, in `list.forEach(...)`, does not.
 */
function refuseKeptVariables(closure: tsTypes.Node, source: Source): void {
  if (!isHandedOut(closure) && !isPassedOnByName(closure, source)) return;
  eachAssignment(closure, (target) => {
    const root = rootName(target);
    const declaration = root && root === bare(target) ? source.symbolOf(root)?.declarations?.[0] : undefined;
    if (!root || !declaration || isOfModule(declaration)) return;
    if (ts.findAncestor(declaration, (node) => node === closure)) return;
    source.refuse("kept-variable", target, `a function that is handed on assigns ${root.text}, which outlives the call`);
  });
}

/** Whether a function has a name in another function, where that name is used for more than calling it. */
function isPassedOnByName(closure: tsTypes.Node, source: Source): boolean {
  const { parent } = closure;
  const isHeld = ts.isVariableDeclaration(parent) && parent.initializer !== undefined && bare(parent.initializer) === closure;
  const name = isHeld ? parent.name : ts.isFunctionDeclaration(closure) ? closure.name : undefined;
  const within = ts.findAncestor(parent, ts.isFunctionLike);
  // What a procedure holds over a yield is refused as a live closure.
  if (!name || !ts.isIdentifier(name) || !within || isGenerator(within)) return false;
  const symbol = source.symbolOf(name);
  let isPassedOn = false;
  eachValueName(source.file, (use) => {
    const isCalled = ts.isCallExpression(use.parent) && use.parent.expression === use;
    if (use !== name && !isCalled && source.symbolOf(use) === symbol) isPassedOn = true;
  });
  return isPassedOn;
}

/** Whether a function literal is what a function returns, or a part of it. */
function isHandedOut(closure: tsTypes.Node): boolean {
  let node = closure;
  while (isPartOfValue(node.parent)) node = node.parent;
  return ts.isReturnStatement(node.parent) || (ts.isArrowFunction(node.parent) && node.parent.body === node);
}

function isPartOfValue(node: tsTypes.Node): boolean {
  return (
    (ts.isExpression(node) && bare(node) !== node) ||
    ts.isObjectLiteralExpression(node) ||
    ts.isArrayLiteralExpression(node) ||
    ts.isPropertyAssignment(node) ||
    ts.isConditionalExpression(node)
  );
}

/** Assignments that would change something which is neither in the state nor a local. */
function refuseAssignments(source: Source): void {
  eachAssignment(source.file, (target) => {
    const root = rootName(target);
    const declaration = root && source.symbolOf(root)?.declarations?.[0];
    if (!root || !declaration) return;
    if (root === bare(target)) {
      if (isConst(declaration)) source.refuse("assignment-to-const", target, `${root.text} is a constant`);
      if (isOfModule(declaration) || (!isInFunction(declaration) && isInFunction(target)))
        source.refuse("assignment-outside", target, `${root.text} is declared outside of any function`);
      return;
    }
    if ((isLiteralOfModule(declaration) || ts.isFunctionDeclaration(declaration)) && isInFunction(target)) {
      source.refuse("assignment-outside", target, `${root.text} is an object of the file, not of the state`);
    }
  });
  const visit = (node: tsTypes.Node): void => {
    ts.forEachChild(node, visit);
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
    const { name, expression } = node.expression;
    const root = rootName(expression);
    const declaration = root && source.symbolOf(root)?.declarations?.[0];
    if (!root || !declaration || !mutators.has(name.text)) return;
    if (isLiteralOfModule(declaration) && isInFunction(node)) {
      source.refuse("assignment-outside", node, `${name.text}() changes ${root.text}, which is an object of the file, not of the state`);
    }
  };
  visit(source.file);
}

function isConst(declaration: tsTypes.Declaration): boolean {
  const list = ts.findAncestor(declaration, ts.isVariableDeclarationList);
  return list !== undefined && (list.flags & ts.NodeFlags.Const) !== 0 && !ts.findAncestor(declaration, isFunctionWithin(list));
}

/** A parameter in the initialiser of a constant is not itself the constant. */
function isFunctionWithin(list: tsTypes.VariableDeclarationList): (node: tsTypes.Node) => boolean {
  return (node) => ts.isFunctionLike(node) && ts.findAncestor(node, (outer) => outer === list) !== undefined;
}

function isOfModule(declaration: tsTypes.Declaration): boolean {
  return !isInFunction(declaration) && !ts.findAncestor(declaration, (node) => ts.isBlock(node) || ts.isIterationStatement(node, false));
}

function isInFunction(node: tsTypes.Node): boolean {
  return ts.findAncestor(node.parent, ts.isFunctionLike) !== undefined;
}

/** A constant of the file whose value is a literal object, array, map or set: it exists once, outside of the state. */
function isLiteralOfModule(declaration: tsTypes.Declaration): boolean {
  if (!ts.isVariableDeclaration(declaration) || !declaration.initializer || !isOfModule(declaration)) return false;
  const value = bare(declaration.initializer);
  if (ts.isObjectLiteralExpression(value) || ts.isArrayLiteralExpression(value)) return true;
  return ts.isNewExpression(value) && ts.isIdentifier(value.expression) && /^(Weak)?(Map|Set)$|^Array$/.test(value.expression.text);
}

/** A function kept in a local, if that is what the local was declared with. */
export function closureHeldBy(declaration: tsTypes.Node): boolean {
  const { parent } = declaration;
  return ts.isVariableDeclaration(parent) && parent.initializer !== undefined && isClosure(bare(parent.initializer));
}
