/** The comparison of documents with what happens can fail. */
import { describe, expect, it } from "vitest";
import { type Block, missing, snippetsOf } from "../support/document.js";

const block = (language: string, heading = "one"): Block => ({ language, heading, text: `${language}\n` });

describe("what a document shows", () => {
  const printed = "held  tiny · 3 states, 0.02 s\n  at /tmp/x/tiny.ts:3:1\nend\n";

  it("is printed, but for times and places", () => {
    expect(missing("held  tiny · 3 states, 1.5 s\n  at\nend", printed)).toBeNull();
    expect(missing("held  tiny · …\n…\nend", printed)).toBeNull();
  });

  it("or it is not: another number, another order, a line too many", () => {
    expect(missing("held  tiny · 4 states", printed)).toBe("held  tiny · 4 states");
    expect(missing("end\nheld  tiny · 3 states", printed)).toBe("held  tiny · 3 states");
    expect(missing("held  tiny · 3 states\nheld  tiny · …", printed)).toBe("held  tiny · …");
  });
});

describe("a snippet", () => {
  it("is the blocks before an outcome", () => {
    expect(snippetsOf([block("ts"), block("ts"), block("text"), block("ts"), block("text")]).map(({ code }) => code)).toEqual([
      "ts\n\nts\n",
      "ts\n",
    ]);
  });

  it("has an outcome under its own heading", () => {
    expect(() => snippetsOf([block("ts")])).toThrow("has no outcome");
    expect(() => snippetsOf([block("ts"), block("text", "two")])).toThrow("has no outcome");
    expect(() => snippetsOf([block("text")])).toThrow("has no snippet");
  });
});
