import { expect, it } from "vitest";
import type { JsonLedger } from "../../src/report/json.js";
import { iommuMc } from "./helpers.js";

it("the ledger of the bundled suites says what a run says", { timeout: 300_000 }, async () => {
  const { stdout } = await iommuMc(["ledger", "--json"]);
  const { differences, exitCode } = JSON.parse(stdout) as JsonLedger;
  expect([differences, exitCode]).toEqual([[], 0]);
});
