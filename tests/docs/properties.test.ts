/** docs/properties.md is what the catalogue says. */
import { describe, expect, it } from "vitest";
import { catalogue, claimOf, PROPERTIES_PAGE, propertiesPage } from "../../scripts/properties-page.js";
import { read } from "../support/document.js";

/** The codes of what kernel developers claim: how many there are of each series. */
const claims = { O: 10, C: 16, L: 8, X: 6, T: 6, V: 3 };

describe(PROPERTIES_PAGE, () => {
  const whole = catalogue();
  const asked = whole.files.flatMap(({ properties }) => properties.map(({ code }) => code));
  it("is up to date; if not: npm run docs:properties", () => expect(read(PROPERTIES_PAGE)).toBe(propertiesPage(whole)));

  it("has every property once", () => {
    expect(asked.length).toBeGreaterThan(10);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it("says of every claim of kernel developers where it is asked, or in properties/not-claimed.ts why not", () => {
    const all = Object.entries(claims).flatMap(([series, count]) => Array.from({ length: count }, (_, number) => `${series}${number + 1}`));
    const told = [...new Set(asked.map(claimOf)), ...whole.notClaimed.map(({ code }) => code)];
    expect(told.filter((code) => all.includes(code)).sort()).toEqual(all.sort());
  });
});
