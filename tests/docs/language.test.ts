/** What docs/language.md says of the language is what the language does. */
import { describe, expect, it } from "vitest";
import { SANITIZERS } from "../../src/explore/outcome.js";
import { schema, windows } from "../../src/lang/index.js";
import { blocksOf, checkedText, exportsOfLanguage, fileOf, frame, missing, read, snippetsOf } from "../support/document.js";

const page = "docs/language.md";
/** The first two `ts` blocks are the frame. */
const snippets = snippetsOf(blocksOf(page).slice(2));

describe(page, () => {
  it("has snippets", () => expect(snippets.length).toBeGreaterThan(20));

  it.each(snippets.map((snippet, number) => ({ ...snippet, number: number + 1 })))("snippet $number, $heading", (snippet) => {
    const printed = checkedText(fileOf(snippet, frame()));
    expect(missing(snippet.outcome, printed), printed).toBeNull();
  });

  it("describes every export of the language, and nothing else", () => {
    // What is in bold is explained there.
    const described = [...read(page).matchAll(/\*\*`(?:type )?(\w+)/g)].map((match) => match[1] as string);
    const { values, types } = exportsOfLanguage();
    const expected = [...values, ...types, ...Object.keys(windows(schema({})))];
    expect(described.sort()).toEqual(expected.sort());
  });

  it("shows every function of the language in a snippet", () => {
    const { schema, suite } = frame();
    const code = [schema, suite, ...snippets.map((snippet) => snippet.code)].join("\n");
    const isUsed = (name: string) => new RegExp(`\\b${name}\\b`).test(code);
    const { values } = exportsOfLanguage();
    expect(values.filter((name) => !/^E[A-Z_]+$/.test(name) && !isUsed(name))).toEqual([]);
  });

  it("names every check that is always on", () => {
    for (const check of SANITIZERS) expect(read(page)).toContain(`\n| \`${check}\` `);
  });
});
