/** What the runs did not exercise, for people: by file and procedure, with the reasons that are known. */
import type { Coverage, Gap } from "./coverage.js";
import type { Look } from "./style.js";
import { counted, hanging } from "./wrap.js";

export function coverageLines(coverage: Coverage, { width, style }: Look): string[] {
  const { points, exercised, gaps, witnesses, stale } = coverage;
  const lines = [
    style.bold("what this run did not exercise"),
    ...hanging("  ", `${exercised} of ${counted(points, "place")} of the model were exercised`, width),
  ];
  const switches = gaps.filter(({ kind, reason }) => kind === "commit" && reason === null);
  const others = gaps.filter((gap) => !switches.includes(gap));
  for (const [file, ofFile] of grouped(others, (gap) => gap.file)) {
    lines.push(`  ${file}`);
    for (const [procedure, own] of grouped(ofFile, (gap) => gap.procedure)) {
      for (const [reason, alike] of grouped(own, (gap) => gap.reason ?? "")) {
        const text = alike.map(({ line, what }) => `${line} ${what}`).join(", ");
        lines.push(
          ...(reason === ""
            ? hanging("    - ", `${procedure}: ${text}`, width).map(style.warn)
            : hanging("    - ", `${procedure}: ${text} (${reason})`, width)),
        );
      }
    }
  }
  if (switches.length > 0) {
    const texts = switches.map(({ file, line, what }) => `${file}:${line} ${what}`);
    lines.push("  commits that were neither reverted nor applied", ...texts.flatMap((text) => hanging("    - ", text, width)));
  }
  if (witnesses.length > 0) lines.push(...hanging("  ", `witnesses never seen: ${witnesses.join(", ")}`, width).map(style.warn));
  for (const { file, procedure, what } of stale) {
    const place = `${file}: ${procedure}${what === undefined ? "" : `: ${what}`}`;
    lines.push(...hanging("  ", `the list of reasons has ${place}, which is exercised or not there`, width).map(style.warn));
  }
  const unexplained = others.filter(({ reason }) => reason === null).length;
  lines.push(`  ${unexplained === 0 ? "nothing" : counted(unexplained, "gap")} without a reason`);
  return lines;
}

function grouped(gaps: readonly Gap[], by: (gap: Gap) => string): Map<string, Gap[]> {
  const groups = new Map<string, Gap[]>();
  for (const gap of gaps) groups.set(by(gap), [...(groups.get(by(gap)) ?? []), gap]);
  return groups;
}
