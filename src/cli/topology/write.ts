/** The TypeScript file of an imported topology. */
import { relative, resolve, sep } from "node:path";
import type { Choice } from "./choose.js";

/** First line of every file written, by which it is known again. */
export const HEADER = "// Written by `iommu-mc topology import`.";

export interface Imported extends Choice {
  readonly name: string;
  readonly source: string;
  readonly iommuDriver: string;
}

/** The text, for a file in `folder`; `root` is the package whose model it imports. */
export function topologyFile({ name, source, iommuDriver, groups, leftOut }: Imported, folder: string, root: string): string {
  const specifier = (path: string) => {
    const way = relative(folder, resolve(root, path)).split(sep).join("/");
    return quote(way.startsWith(".") ? way : `./${way}`);
  };
  const lines = [
    HEADER,
    `import type { Topology } from ${specifier("models/linux/machine/topology.js")};`,
    `import { ownershipSuites } from ${specifier("reports/suites/ownership-on.js")};`,
    "",
    `/** IOMMU groups of the machine recorded in ${source}. */`,
    "export const topology: Topology = {",
    `  name: ${quote(name)},`,
    `  source: ${quote(source)},`,
    `  iommu: ${quote(iommuDriver)},`,
    "  groups: [",
    ...groups.flatMap(({ id, devices, why }) => [
      `    // Kept: ${why}.`,
      "    {",
      `      id: ${id},`,
      "      devices: [",
      ...devices.map((device) => `        { name: ${quote(device.name)}, driver: ${quote(device.driver)}, managed: ${device.managed} },`),
      "      ],",
      "    },",
    ]),
    "  ],",
    leftOut.length === 0 ? "  leftOut: []," : ["  leftOut: [", ...leftOut.map((what) => `    ${quote(what)},`), "  ],"].join("\n"),
    "};",
    "",
    "export const suites = ownershipSuites(topology);",
  ];
  return `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
