/** One model file, parsed and bound on its own: enough to know which declaration every name means. */
import type tsTypes from "typescript";
import type { Location } from "../lang/errors.js";
import { LoadError, locationOf, type RefusalKind } from "./refusals.js";
import { ts } from "./typescript.js";

export interface Source {
  readonly program: tsTypes.Program;
  readonly file: tsTypes.SourceFile;
  /** Where a node of this file stands. */
  at(node: tsTypes.Node): Location;
  /** Throws a located refusal. */
  refuse(kind: RefusalKind, node: tsTypes.Node, message: string): never;
  /** What an identifier that stands for a value was declared as; undefined for a global. */
  symbolOf(identifier: tsTypes.Identifier): tsTypes.Symbol | undefined;
}

/** Parses `text`. `fileName` is what locations show. Throws a located `LoadError` for a syntax error. */
export function parseSource(text: string, fileName: string): Source {
  const options: tsTypes.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.CommonJS,
    moduleDetection: ts.ModuleDetectionKind.Force,
    isolatedModules: true,
    sourceMap: true,
    noLib: true,
    noResolve: true,
    types: [],
    removeComments: true,
    allowJs: true,
    strict: true,
    ignoreDeprecations: "6.0",
  };
  // The compiler wants an absolute name with an extension; ours may be neither.
  const internalName = `/model/${fileName.endsWith(".js") ? "source.js" : "source.ts"}`;
  const file = ts.createSourceFile(internalName, text, { languageVersion: ts.ScriptTarget.ES2022 }, true);
  const host: tsTypes.CompilerHost = {
    getSourceFile: (name) => (name === internalName ? file : undefined),
    writeFile: () => {},
    getDefaultLibFileName: () => "lib.d.ts",
    getCurrentDirectory: () => "/model",
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
    fileExists: (name) => name === internalName,
    readFile: () => undefined,
  };
  const program = ts.createProgram({ rootNames: [internalName], options, host });
  const wrong = program.getSyntacticDiagnostics(file)[0];
  if (wrong) {
    throw new LoadError("syntax", ts.flattenDiagnosticMessageText(wrong.messageText, " "), locationOf(file, fileName, wrong.start));
  }
  const checker = program.getTypeChecker();
  const at = (node: tsTypes.Node) => locationOf(file, fileName, node.getStart(file));
  return {
    program,
    file,
    at,
    refuse: (kind, node, message) => {
      throw new LoadError(kind, message, at(node));
    },
    symbolOf: (identifier) => {
      const { parent } = identifier;
      const symbol =
        ts.isShorthandPropertyAssignment(parent) && parent.name === identifier
          ? checker.getShorthandAssignmentValueSymbol(parent)
          : checker.getSymbolAtLocation(identifier);
      return symbol?.declarations?.length ? symbol : undefined;
    },
  };
}
