import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { JSON_SCHEMA, type JsonHeader } from "../report/json.js";
import { packageRoot } from "../session/open.js";

/** Version of the package. */
export function version(): string {
  const { version } = JSON.parse(readFileSync(resolve(packageRoot(), "package.json"), "utf8")) as { version: string };
  return version;
}

export function headerOf(command: string): JsonHeader {
  return { tool: "iommu-mc", version: version(), schema: JSON_SCHEMA, command };
}

/** A document as it is printed. */
export { jsonText } from "../report/json.js";
