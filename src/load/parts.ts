/**
 * A model file in parts, so that it can be told what a run depends on: the bodies of the functions it entered, and
 * all that stands outside of them. A file's functions are its function declarations and its procedures; what is
 * written inside of one, or as an arrow in a constant, belongs to what it stands in.
 */
import type tsTypes from "typescript";
import { hashOf } from "./cache.js";
import type { Source } from "./source.js";
import { type GeneratorNode, isGenerator } from "./syntax.js";
import { ts } from "./typescript.js";

/** What is called at the head of every function of a file, with its number. */
export const ENTERED = "$entered";

export interface FileParts {
  /** Hash of the file without the bodies of its functions, comments and layout. */
  readonly outside: string;
  /** Hashes of the bodies of its functions, as they are written. */
  readonly functions: readonly string[];
}

type FunctionNode = GeneratorNode | tsTypes.FunctionDeclaration;

/** The parts, and a transformer that reports when a function is entered; it is to run after all others. */
export function partsOf(source: Source): { readonly parts: FileParts; readonly reporting: tsTypes.TransformerFactory<tsTypes.SourceFile> } {
  const numbers = new Map<tsTypes.Node, number>();
  const functions: string[] = [];
  const f = ts.factory;
  const withoutBodies = withFunctions((node) => {
    const body = node.body as tsTypes.Block;
    numbers.set(node, functions.length);
    functions.push(hashOf(body.getText(source.file)));
    return f.updateBlock(body, []);
  });
  const { transformed, dispose } = ts.transform(source.file, [withoutBodies]);
  const outside = hashOf(ts.createPrinter({ removeComments: true }).printFile(transformed[0] as tsTypes.SourceFile));
  dispose();
  const reporting = withFunctions((node) => {
    const body = node.body as tsTypes.Block;
    const number = numbers.get(ts.getOriginalNode(node));
    if (number === undefined) throw new Error(`${source.file.fileName} has a function that was not there before`);
    const call = f.createCallExpression(f.createIdentifier(ENTERED), undefined, [f.createNumericLiteral(number)]);
    return f.updateBlock(body, [f.createExpressionStatement(call), ...body.statements]);
  });
  return { parts: { outside, functions }, reporting };
}

/** Gives every function of a file another body. */
function withFunctions(bodyOf: (node: FunctionNode) => tsTypes.Block): tsTypes.TransformerFactory<tsTypes.SourceFile> {
  const f = ts.factory;
  return (context) => (file) => {
    const visit = (node: tsTypes.Node): tsTypes.Node => {
      if (ts.isFunctionDeclaration(node) && node.body) {
        const { modifiers, asteriskToken, name, typeParameters, parameters, type } = node;
        return f.updateFunctionDeclaration(node, modifiers, asteriskToken, name, typeParameters, parameters, type, bodyOf(node));
      }
      if (isGenerator(node) && ts.isFunctionExpression(node)) {
        const { modifiers, asteriskToken, name, typeParameters, parameters, type } = node;
        return f.updateFunctionExpression(node, modifiers, asteriskToken, name, typeParameters, parameters, type, bodyOf(node));
      }
      return ts.isFunctionLike(node) ? node : ts.visitEachChild(node, visit, context);
    };
    return ts.visitEachChild(file, visit, context);
  };
}
