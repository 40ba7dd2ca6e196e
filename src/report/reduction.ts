/** What `--reduce` came to, in words. */
import type { Reduction, SymmetryFound } from "../explore/outcome.js";
import { counted } from "./wrap.js";

/** A sentence for each thing that is to be said of it. */
export function reductionTexts(reduction: Reduction): string[] {
  if (reduction.kind === "off") return [`not reduced: ${reduction.because}`];
  const { fusion, symmetry, clearing, restarts } = reduction;
  const what = [
    ...(fusion === null
      ? []
      : [`of ${counted(fusion.paths, "path")} that steps take, ${fusion.fusedPaths} are fused with the step before`]),
    ...(symmetry === null ? [] : [interchangeableText(symmetry)]),
    ...(clearing === null
      ? []
      : [`of ${counted(clearing.changing, "field")} that change, ${clearing.cleared} are cleared where nobody will read what they have`]),
    ...(restarts === 0 ? [] : [`begun anew ${counted(restarts, "time")}, when more was known`]),
  ];
  const lost = symmetry?.lost.map(({ what, because }) => `not interchangeable: ${what}: ${because}`) ?? [];
  return [`reduced: ${what.join("; ")}`, ...lost];
}

function interchangeableText({ interchangeable, standFor, isEstimate }: SymmetryFound): string {
  if (interchangeable.length === 0) return "nothing is interchangeable";
  return `interchangeable: ${interchangeable.join("; ")}, so that these states stand for ${isEstimate ? "about " : ""}${counted(standFor, "state")}`;
}
