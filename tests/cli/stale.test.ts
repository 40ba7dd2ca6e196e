import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { JsonStale } from "../../src/report/stale.js";
import { functionsOf } from "../../src/session/c-source.js";
import { modelledIn, type Sources } from "../../src/session/stale.js";
import { iommuMc, root, temporaryFolder } from "./helpers.js";

const { folder, write } = temporaryFolder();

const source = `/* frob() { in a comment } */
static LIST_HEAD(frobs);

struct frob_ops ops = {
	.frob = frob,
};

/**
 * frob - does it
 */
int frob(struct frob *f,
	 int times)
{
	if (times) {
		pr_info("frob // %d {\\n", times);	/* once */
	}
	return 0;
}

static inline void __must_hold(&lock) twiddle(void) { }

static struct frob *
find_frob(int id)
{
	return NULL;
}
`;

/** A kernel tree of a version. */
function tree(name: string, sublevel: number, text: string): string {
  mkdirSync(join(folder, name, "drivers/iommu"), { recursive: true });
  write(`${name}/Makefile`, `VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = ${sublevel}\n`);
  write(`${name}/drivers/iommu/frob.c`, text);
  return join(folder, name);
}

/** Models of the source, with what is recorded of it. */
async function recorded(name: string): Promise<string> {
  const models = join(folder, name);
  mkdirSync(models);
  write(
    `${name}/frob.ts`,
    `/** 6.1.1 line 11. */\nexport function* frob() {}\n\n/** 6.1.1 line 22: which one. */\nfunction find_frob() {}\n\n/** Of nothing in the kernel, 6.1.1 line 1. */\nexport function helper() {}\n`,
  );
  const made = await iommuMc(["stale", "--tree", tree(`${name}-6.1.1`, 1, source), "--models", models, "--record"]);
  expect([made.code, made.stdout]).toEqual([0, expect.stringContaining("of 3 procedures 2 as modelled, 0 changed, 0 missing, 1 of no")]);
  return models;
}

describe("stale", () => {
  it("records fingerprints, and no text", async () => {
    const models = await recorded("recorded");
    const sources = JSON.parse(readFileSync(join(models, "sources.json"), "utf8")) as Sources;
    expect(Object.keys(sources["6.1.1"] ?? {})).toEqual(["frob.ts:find_frob", "frob.ts:frob"]);
    expect(sources["6.1.1"]?.["frob.ts:frob"]).toEqual({
      file: "drivers/iommu/frob.c",
      line: 11,
      hash: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
  });

  it("takes no notice of comments, white space and places, and names what has changed or is missing", async () => {
    const models = await recorded("compared");
    const moved = source.replace("/**\n * frob", "\n\n/**\n * FROB").replace("if (times) {", "if (times)\n\t{ /* if so */");
    const same = await iommuMc(["stale", "--tree", tree("moved", 2, moved), "--models", models]);
    expect([same.code, same.stdout]).toEqual([0, expect.stringContaining("(6.1.2): of 3 procedures 2 as modelled")]);
    const edited = source.replace("return 0;", "return 1;").replace("find_frob", "find_frobs");
    const other = await iommuMc(["stale", "--tree", tree("edited", 3, edited), "--models", models, "--json"]);
    const document = JSON.parse(other.stdout) as JsonStale;
    expect([other.code, document.treeVersion, document.exitCode]).toEqual([1, "6.1.3", 1]);
    expect(document.procedures.map(({ procedure, status, line }) => [procedure, status, line])).toEqual([
      ["frob", "changed", 11],
      ["find_frob", "missing", null],
      ["helper", "unrecorded", null],
    ]);
    const text = await iommuMc(["stale", "--tree", join(folder, "edited"), "--models", models]);
    expect(text.stdout).toContain("changed in 6.1.3\n  frob (frob.ts), modelled from 6.1.1, now at drivers/iommu/frob.c:11\n");
    expect(text.stdout).toContain("missing in 6.1.3\n  find_frob (frob.ts), modelled from 6.1.1\n");
  });

  it("tells a docstring whose line is another function's", async () => {
    const models = join(folder, "astray");
    mkdirSync(models);
    write("astray/frob.ts", "/** 6.1.1 line 22. */\nexport function* frob() {}\n");
    const { code, stdout } = await iommuMc(["stale", "--tree", tree("astray-6.1.1", 1, source), "--models", models, "--record"]);
    expect([code, stdout]).toEqual([1, expect.stringContaining("frob.ts:frob: 6.1.1 line 22, but it is at drivers/iommu/frob.c line 11")]);
  });

  it.each([
    [["--tree", "no-such-tree"], "there is no folder no-such-tree"],
    [["--tree", "src"], "src is no kernel tree"],
    [[], "required option '--tree <folder>' not specified"],
  ])("%j exits with 2", async (words, told) => {
    expect(await iommuMc(["stale", ...words])).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });

  it("wants something recorded", async () => {
    const models = join(folder, "nothing");
    cpSync(join(root, "models/linux/vfio"), models, { recursive: true });
    const ended = await iommuMc(["stale", "--tree", tree("any", 1, source), "--models", models]);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining("--record, with a tree of each version") });
    expect(existsSync(join(models, "sources.json"))).toBe(false);
  });
});

describe("C source", () => {
  it("is read as the kernel writes it", () => {
    expect(functionsOf(source).map(({ name, line, end }) => [name, line, end])).toEqual([
      ["frob", 11, 18],
      ["twiddle", 20, 20],
      ["find_frob", 22, 26],
    ]);
  });
});

it("compares all bundled models, and names those of which nothing can be said", async () => {
  const { stdout } = await iommuMc(["stale", "--tree", tree("elsewhere", 9, source), "--json"]);
  const { procedures, silent } = JSON.parse(stdout) as JsonStale;
  expect(procedures.map(({ model }) => model.split("/")[0])).toEqual(expect.arrayContaining(["linux", "ppc64"]));
  expect(silent).toContain("arm64");
});

it.each(readdirSync(join(root, "models")).filter((name) => existsSync(join(root, "models", name, "sources.json"))))(
  "what is recorded of %s is of procedures that say so",
  (name) => {
    const models = join(root, "models", name);
    const versions = new Map(modelledIn(models).map(({ file, procedure, versions }) => [`${file}:${procedure}`, versions]));
    const sources = JSON.parse(readFileSync(join(models, "sources.json"), "utf8")) as Sources;
    for (const [version, recorded] of Object.entries(sources)) {
      for (const key of Object.keys(recorded)) expect([version, key, versions.get(key)?.has(version)]).toEqual([version, key, true]);
    }
  },
);
