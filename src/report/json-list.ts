/** What `list --json` prints. */
import type { Design } from "../lang/design.js";
import type { Suite } from "../lang/suite.js";
import type { JsonHeader } from "./json.js";

/** `list`. Members that were not asked for are left out. */
export interface JsonListed {
  readonly designs?: readonly { readonly name: string; readonly version: string; readonly includes: readonly string[] }[];
  readonly suites?: readonly {
    readonly name: string;
    readonly design: string;
    readonly scenario: { readonly name: string; readonly describes: string };
    readonly properties: readonly string[];
    readonly expectedViolations: readonly string[];
  }[];
  readonly properties?: readonly {
    readonly code: string;
    readonly sentence: string;
    readonly source: string;
    readonly seenRedBy: string;
    readonly window: string;
  }[];
  readonly commits?: readonly {
    readonly sha: string;
    readonly subject: string;
    /** Of its patch, if its sha is not known and `sha` only what the design calls it. */
    readonly messageId: string | null;
    readonly since: string;
    readonly needs: readonly string[];
    /** Designs that include it, and designs that know how to be with it but do not. */
    readonly includedBy: readonly string[];
    readonly applicableTo: readonly string[];
  }[];
}

export interface JsonList extends JsonHeader, JsonListed {}

/** `kind` null lists everything. */
export function jsonList(suites: readonly Suite[], kind: keyof JsonListed | null): JsonListed {
  const designs = baseDesigns(suites);
  const properties = distinct(suites.flatMap((suite) => suite.properties));
  const shas = distinct(designs.flatMap(({ commits }) => Object.keys(commits)));
  const all: Required<JsonListed> = {
    designs: designs.map(({ name, version, includes }) => ({ name, version, includes })),
    suites: suites.map(({ name, design, scenario, properties, expected }) => ({
      name,
      design: [design.name, ...(design.added ?? []).map((sha) => `with ${sha}`)].join(" "),
      scenario: { name: scenario.name, describes: scenario.describes },
      properties: properties.map(({ code }) => code),
      expectedViolations: Object.keys(expected ?? {}),
    })),
    properties: properties.map(({ code, sentence, source, seenRedBy, window }) => ({
      code,
      sentence,
      source,
      seenRedBy,
      window: window.kind,
    })),
    commits: shas.flatMap((sha) => {
      const knowing = designs.filter(({ commits }) => commits[sha] !== undefined);
      const commit = knowing[0]?.commits[sha];
      if (commit === undefined) return [];
      const includedBy = knowing.filter(({ includes }) => includes.includes(sha));
      return [
        {
          sha,
          subject: commit.subject,
          since: commit.since,
          messageId: commit.messageId ?? null,
          needs: commit.needs ?? [],
          includedBy: includedBy.map(({ name }) => name),
          applicableTo: knowing.filter((design) => !includedBy.includes(design)).map(({ name }) => name),
        },
      ];
    }),
  };
  return kind === null ? all : { [kind]: all[kind] };
}

/** Each design once, as it is without the commits that `withCommits` adds for a suite. */
function baseDesigns(suites: readonly Suite[]): Design[] {
  const byName = new Map<string, Design>();
  for (const { design } of suites) {
    const added = design.added ?? [];
    const base = { ...design, includes: design.includes.filter((sha) => !added.includes(sha)) };
    if (!byName.has(design.name) || added.length === 0) byName.set(design.name, base);
  }
  return [...byName.values()];
}

function distinct<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
