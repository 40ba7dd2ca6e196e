/** Checks the types of a model and everything it imports, with the language's own declarations. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type tsTypes from "typescript";
import { formatLocation, type Location } from "../lang/errors.js";
import { LoadError, locationOf } from "./refusals.js";
import { bare, isValueName } from "./syntax.js";
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

/** The compiler's own declarations, which never change while it runs: parsed once for all checks of a process. */
const libraryFiles = new Map<string, tsTypes.SourceFile>();

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
  const libraryDirectory = host.getDefaultLibLocation?.() ?? dirname(host.getDefaultLibFileName(options));
  const { fileExists, readFile } = host;
  host.fileExists = (path) => virtual.has(path) || fileExists(path);
  host.readFile = (path) => virtual.get(path) ?? readFile(path);
  host.getSourceFile = (path, languageVersion) => {
    const library = libraryFiles.get(path);
    if (library) return library;
    const text = host.readFile(path);
    if (text === undefined) return undefined;
    const file = ts.createSourceFile(path, text, languageVersion, true);
    if (path.startsWith(libraryDirectory)) libraryFiles.set(path, file);
    return file;
  };

  const program = ts.createProgram({ rootNames: [entry], options, host });
  const languageDirectory = dirname(dirname(language)) + sep;
  // By place and kind, not by how they were imported: the models that come with the tool are checked when it is installed too.
  const isLanguage = (file: tsTypes.SourceFile) => file.fileName.startsWith(languageDirectory);
  const own = program.getSourceFiles().filter((file) => isLanguage(file) || !file.isDeclarationFile);
  // The language has been checked when it was built.
  const models = own.filter((file) => !isLanguage(file));

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

/** A generator whose value is thrown away, or taken for the procedure's result. */
function refuseForgottenYieldStar(file: tsTypes.SourceFile, checker: tsTypes.TypeChecker, shown: string): void {
  const visit = (node: tsTypes.Node): void => {
    const mayBe = ts.isCallExpression(node) || (ts.isIdentifier(node) && isValueName(node));
    if (mayBe && isTakenForResult(node) && isGeneratorType(checker.getTypeAtLocation(node))) {
      const text = ts.isCallExpression(node)
        ? `${node.expression.getText(file)}(...) is called`
        : `${node.text}, a procedure's call, is used`;
      throw new LoadError("missing-yield-star", `${text} without \`yield*\``, locationOf(file, shown, node.getStart(file)));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
}

function isTakenForResult(value: tsTypes.Expression): boolean {
  let node = value;
  while (ts.isExpression(node.parent) && bare(node.parent) === value) node = node.parent;
  const { parent } = node;
  if (ts.isExpressionStatement(parent) || ts.isVoidExpression(parent) || ts.isPrefixUnaryExpression(parent)) return true;
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent) || ts.isDoStatement(parent) || ts.isSwitchStatement(parent)) return true;
  if (ts.isForStatement(parent) || ts.isForOfStatement(parent) || ts.isSpreadElement(parent)) return true;
  if (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent)) return parent.expression === node;
  if (ts.isConditionalExpression(parent)) return parent.condition === node;
  if (ts.isYieldExpression(parent)) return parent.asteriskToken === undefined;
  if (!ts.isBinaryExpression(parent)) return false;
  const isAssignment = parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
  return !isAssignment;
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
