/** What docs/pitfalls.md says the checker says is what it says. */
import { describe, expect, it } from "vitest";
import { blocksOf, checkedText, fileOf, frame, missing, snippetsOf } from "../support/document.js";

const page = "docs/pitfalls.md";
const snippets = snippetsOf(blocksOf(page));

describe(page, () => {
  it("has snippets", () => expect(snippets.length).toBeGreaterThan(5));

  it.each(snippets)("$heading", (snippet) => {
    const printed = checkedText(fileOf(snippet, frame()));
    expect(missing(snippet.outcome, printed), printed).toBeNull();
  });
});
