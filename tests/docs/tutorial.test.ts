/** The tutorial, followed to the letter in an empty folder. */
import { afterAll, describe, expect, it } from "vitest";
import { blocksOf } from "../support/document.js";
import { commandsOf, difference, Reader } from "../support/walkthrough.js";

const page = "docs/tutorial.md";

describe(page, () => {
  const reader = new Reader();
  afterAll(() => reader.leave());

  const steps = blocksOf(page).flatMap(({ language, ...block }): (readonly [string, () => void])[] => {
    switch (language) {
      case "ts":
        return [[`writes ${block.text.split("\n")[0]}`, () => reader.create(block.text)]];
      case "diff":
        return [[`changes ${/^\+\+\+ (.*)$/m.exec(block.text)?.[1]}`, () => reader.patch(block.text)]];
      case "console":
        return commandsOf({ language, ...block }).map(({ command, exit, shown }) => [
          command,
          () => {
            const { status, stdout, stderr } = reader.run(command);
            expect([status, difference(shown, stdout)], stderr).toEqual([exit, null]);
          },
        ]);
      default:
        return [];
    }
  });

  it("has steps", () => expect(steps.length).toBeGreaterThan(15));

  it.each(steps)("%s", (_, follow) => follow());
});

describe("what is shown", () => {
  const printed = "one\ntwo, 0.3 s\n\nthree\nfour\n";

  it("is all that is printed, but for times, or what is beside a line of …", () => {
    for (const shown of ["one\ntwo, 12 s\n\nthree\nfour", "one\ntwo, 1 s\n…", "…\nfour", "…\nthree\n…", "…"])
      expect(difference(shown, printed)).toBeNull();
  });

  it("or is told to differ", () => {
    for (const shown of ["one\ntwo, 0.3 s\n\nthree", "three\n…", "…\nthree", "…\ntwo\n…", "…\nfive\n…", "…\nfour\n…\nthree\n…"])
      expect(difference(shown, printed)).not.toBeNull();
  });
});
