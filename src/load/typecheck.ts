/** Checks the types of a model and everything it imports, with the language's own declarations. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type tsTypes from "typescript";
import { formatLocation, type Location } from "../lang/errors.js";
import { LoadError, locationOf } from "./refusals.js";
import { bare } from "./syntax.js";
import { ts, useTypescript } from "./typescript.js";

export interface TypecheckRequest {
  /** Absolute path of the file to start from. */
  readonly entry: string;
  /** Texts that stand for files which need not exist, by absolute path. */
  readonly virtual: ReadonlyMap<string, string>;
  /** What a file is called in a location. */
  shown(path: string): string;
}

/** What the check read, so that a later run can tell whether anything has changed. */
export interface TypecheckResult {
  /** Absolute paths, without the compiler's own library and without installed packages. */
  readonly files: readonly string[];
}

/** The declarations of "iommu-mc": beside this file, compiled or not. */
export function languageEntry(): string {
  const lang = join(dirname(fileURLToPath(import.meta.url)), "..", "lang");
  const compiled = join(lang, "index.d.ts");
  return existsSync(compiled) ? compiled : join(lang, "index.ts");
}

/** Throws a `LoadError` that lists every type error, located at the first. */
export function typecheck({ entry, virtual, shown }: TypecheckRequest): TypecheckResult {
  useTypescript();
  const language = languageEntry();
  const options: tsTypes.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    allowImportingTsExtensions: true,
    isolatedModules: true,
    noUncheckedIndexedAccess: true,
    noFallthroughCasesInSwitch: true,
    skipLibCheck: true,
    allowJs: true,
    lib: ["lib.es2023.d.ts"],
    types: [],
    paths: { "iommu-mc": [language] },
  };
  const host = ts.createCompilerHost(options, true);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => virtual.has(path) || fileExists(path);
  host.readFile = (path) => virtual.get(path) ?? readFile(path);
  host.getSourceFile = (path, languageVersion) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, languageVersion, true);
  };

  const program = ts.createProgram({ rootNames: [entry], options, host });
  const languageDirectory = dirname(dirname(language)) + sep;
  const own = program.getSourceFiles().filter((file) => !program.isSourceFileDefaultLibrary(file) && !program.isSourceFileFromExternalLibrary(file));
  // The language has been checked when it was built.
  const models = own.filter((file) => !file.fileName.startsWith(languageDirectory) && !file.isDeclarationFile);

  const checker = program.getTypeChecker();
  // First, because it explains most of the type errors that it causes.
  for (const file of models) refuseForgottenYieldStar(file, checker, shown(file.fileName));

  const found: { location: Location; message: string }[] = [];
  for (const file of models) {
    for (const diagnostic of [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]) {
      const location = locationOf(file, shown(file.fileName), diagnostic.start ?? 0);
      found.push({ location, message: ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n  ") });
    }
  }
  const first = found[0];
  if (first) {
    const rest = found.slice(1).map(({ location, message }) => `\n${formatLocation(location)}: ${message}`);
    throw new LoadError("type", [first.message, ...rest].join(""), first.location);
  }
  return { files: own.map((file) => file.fileName) };
}

/** A call that makes a generator where its value is thrown away, or is taken for a result. */
function refuseForgottenYieldStar(file: tsTypes.SourceFile, checker: tsTypes.TypeChecker, shown: string): void {
  const visit = (node: tsTypes.Node): void => {
    if (ts.isCallExpression(node) && isTakenForResult(node) && isGeneratorType(checker.getTypeAtLocation(node))) {
      const callee = node.expression.getText(file);
      throw new LoadError("missing-yield-star", `${callee}(...) is called without \`yield*\``, locationOf(file, shown, node.getStart(file)));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
}

function isTakenForResult(call: tsTypes.Expression): boolean {
  let node: tsTypes.Node = call;
  while (ts.isExpression(node.parent) && bare(node.parent) === call) node = node.parent;
  const { parent } = node;
  if (ts.isExpressionStatement(parent) || ts.isVoidExpression(parent) || ts.isPrefixUnaryExpression(parent)) return true;
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent) || ts.isDoStatement(parent) || ts.isSwitchStatement(parent)) return true;
  if (ts.isForStatement(parent)) return true;
  if (ts.isConditionalExpression(parent)) return parent.condition === node;
  if (ts.isYieldExpression(parent)) return parent.asteriskToken === undefined;
  if (ts.isBinaryExpression(parent)) {
    return parent.left === node || parent.operatorToken.kind !== ts.SyntaxKind.EqualsToken;
  }
  return false;
}

function isGeneratorType(type: tsTypes.Type): boolean {
  return type.isUnion() ? type.types.some(isGeneratorType) : type.getSymbol()?.name === "Generator";
}

/** The text a key is made of; undefined if the file is gone. */
export function contentOf(path: string, virtual: ReadonlyMap<string, string>): string | undefined {
  const text = virtual.get(path);
  if (text !== undefined) return text;
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
