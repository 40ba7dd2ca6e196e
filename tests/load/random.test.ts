import fc from "fast-check";
import { expect, test } from "vitest";
import type { Safeguards } from "../../src/load/instrument.js";
import { type Frame, finish, language, type Module, moduleOf, type Stop, type Thread } from "./helpers.js";

/**
 * A random procedure is grown from a tape of numbers: each decision takes the next one, and when the tape is
 * used up only the shortest choices are left. So that a shorter tape is a smaller program.
 */
function grow(tape: readonly number[]): string {
  let position = 0;
  let declared = 0;
  const take = (count: number): number => (position < tape.length ? (tape[position++] as number) % count : 0);
  const pick = (...choices: readonly (() => string)[]): string => (choices[take(choices.length)] as () => string)();

  function expression(scope: readonly string[], depth = 0): string {
    const variable = () => (scope.length > 0 ? (scope[take(scope.length)] as string) : "1");
    const inner = () => expression(scope, depth + 1);
    if (depth > 2) return variable();
    return pick(
      variable,
      () => String(take(4)),
      () => `(${inner()} + ${inner()})`,
      () => `(${inner()} % 3 ? ${inner()} : ${inner()})`,
      () => `(${inner()} && ${inner()})`,
      () => `pure(() => ${variable()})`,
      () => `(yield* sub(${inner()}))`,
      () => `sum(${inner()}, ${inner()}, ${inner()})`,
      () => `[${inner()}, ${inner()}].length`,
      () => "ask()",
      () => (scope.length > 0 ? `(${variable()} = ${inner()})` : "2"),
      () => `({ k: ${inner()}, j: ${inner()} }).k`,
    );
  }

  function block(scope: readonly string[], depth: number, loops: readonly string[]): string {
    const own = [...scope];
    const lines: string[] = [];
    for (let n = 1 + take(5); n > 0; n--) lines.push(statement(own, depth, loops));
    return `{\n${lines.join("\n")}\n}`;
  }

  function statement(scope: string[], depth: number, loops: readonly string[]): string {
    const e = () => expression(scope);
    const nested = (more: readonly string[] = [], label?: string) =>
      depth > 2 ? "{ yield; }" : block([...scope, ...more], depth + 1, label ? [...loops, label] : loops);
    const assignable = () => (scope.length > 0 ? (scope[take(scope.length)] as string) : undefined);
    return pick(
      () => `log(${e()});`,
      () => "yield;",
      () => {
        // Names come from a short list, so that they shadow each other.
        const name = `v${take(4)}`;
        const value = expression(scope.filter((other) => other !== name));
        const text = `{ let ${name} = ${value}; ${statement([...scope, name], depth + 1, loops)} log(${name}); }`;
        return depth > 3 ? "yield;" : text;
      },
      () => {
        const name = `w${declared++}`;
        const text = `let ${name} = ${e()};`;
        scope.push(name);
        return text;
      },
      () => {
        const name = assignable();
        return name ? `${name} ${["=", "+=", "-="][take(3)]} ${e()};` : "yield;";
      },
      () => {
        const name = assignable();
        return name ? `${name}++;` : "yield;";
      },
      () => {
        const [p, q] = [assignable(), assignable()];
        return p && q && p !== q ? `[${p}, ${q}] = [${e()}, ${p}];` : "yield;";
      },
      () => `if (${e()}) ${nested()}`,
      () => `if (ask()) ${nested()} else ${nested()}`,
      () => {
        const i = `i${declared++}`;
        return `l${i}: for (let ${i} = 0; ${i} < 2; ${i}++) ${nested([], `l${i}`)}`;
      },
      () => {
        const i = `i${declared++}`;
        return `let ${i} = 0; l${i}: while (${i}++ < 2) ${nested([], `l${i}`)}`;
      },
      () => {
        const d = `d${declared++}`;
        return `l${d}: for (const ${d} of [${e()}, ${e()}]) { log(${d}); ${statement([...scope], depth + 2, [...loops, `l${d}`])} yield; log(${d}); }`;
      },
      () => `switch (${e()} % 3) { case 0: ${nested()} case 1: ${nested()} break; default: ${nested()} }`,
      () => (loops.length > 0 ? `if (ask()) ${["break", "continue"][take(2)]} ${loops[take(loops.length)]};` : "yield;"),
      () => {
        const name = assignable();
        return name ? `yield until(() => ${name});` : "yield;";
      },
      () => `box.n = ${e()}; log(box.n);`,
      () => `if (ask()) return ${e()};`,
    );
  }

  return `${language}
const box = Object({ n: 0 });
const pure = (f) => f();
const sum = (...values) => values.reduce((x, y) => Number(x) + Number(y), 0);
function* sub(x) { const y = Number(x) + 1; if (y % 2) yield; log("sub", y); yield; return y + x; }
export function* p(a, b) ${block(["a", "b"], 0, [])}`;
}

const programs = fc.array(fc.nat({ max: 1000 }), { minLength: 20, maxLength: 160 }).map(grow);
const scripts = fc.array(fc.nat({ max: 3 }), { maxLength: 30 });
const inputs = fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 }));

test("an instrumented procedure does what the plain one does, and never uses a dead local", () => {
  fc.assert(
    fc.property(programs, scripts, inputs, (text, script, args) => {
      const plain = finish(moduleOf(text, { plain: true }).start("p", args, script), 10_000);
      const own = finish(moduleOf(text).start("p", args, script), 10_000);
      const covered = finish(moduleOf(text, { coverage: true }).start("p", args, script), 10_000);
      expect(covered).toEqual(own);
      expect(own).toEqual(plain);
    }),
    { numRuns: 200 },
  );
}, 60_000);

/** A thread driven to its stop number `n`; undefined if it ends before. */
function driven(
  module: Module,
  args: readonly unknown[],
  script: readonly number[],
  n: number,
): { thread: Thread; frames: readonly Frame[] } | undefined {
  const thread = module.start("p", args, script);
  for (let i = 0; ; i++) {
    const { done, value } = thread.generator.next();
    if (done) return undefined;
    if (i === n) return { thread, frames: (value as Stop).frames };
  }
}

const sitesOf = (frames: readonly Frame[]) => frames.map((frame) => frame.site).join();

/** What a thread prints from here on. Guards are left out: the engine asks them of the thread they belong to. */
function rest(thread: Thread): string[] {
  thread.output.length = 0;
  return finish(thread, 10_000).filter((line) => !line.startsWith("guard"));
}

/**
 * The control state decides what follows. Two threads with other arguments and other answers, stopped at the
 * same sites: the one, given the locals of the other, must go on exactly as the other does.
 * Returns how many pairs were compared.
 */
function compareWitnesses(
  text: string,
  safeguards: Partial<Safeguards>,
): (script1: readonly number[], args1: readonly unknown[], script2: readonly number[], args2: readonly unknown[]) => number {
  const module = moduleOf(text, { safeguards });
  return (script1, args1, script2, args2) => {
    let compared = 0;
    for (let n = 0; n < 6; n++) {
      const donor = driven(module, args1, script1, n);
      if (!donor) break;
      for (let m = 0; m < 6; m++) {
        const host = driven(module, args2, script2, m);
        if (!host) break;
        if (sitesOf(host.frames) !== sitesOf(donor.frames)) continue;
        const again = driven(module, args1, script1, n) as { thread: Thread; frames: readonly Frame[] };
        const remaining = script1.slice(again.thread.asked);
        const expected = rest(again.thread);
        host.thread.runtime.transplant(donor.frames);
        host.thread.script.splice(0, host.thread.script.length, ...Array(host.thread.asked).fill(0), ...remaining);
        expect(rest(host.thread)).toEqual(expected);
        compared++;
      }
    }
    return compared;
  };
}

test("nothing but the reported control state decides how a procedure goes on", () => {
  let compared = 0;
  fc.assert(
    fc.property(programs, scripts, inputs, scripts, inputs, (text, script1, args1, script2, args2) => {
      compared += compareWitnesses(text, {})(script1, args1, script2, args2);
    }),
    { numRuns: 200 },
  );
  expect(compared).toBeGreaterThan(300);
}, 60_000);

test.each(["restore", "spill"] as const)(
  "without %s, the same comparison finds a difference",
  (safeguard) => {
    const found = fc.check(
      fc.property(programs, scripts, inputs, scripts, inputs, (text, script1, args1, script2, args2) => {
        compareWitnesses(text, { [safeguard]: false })(script1, args1, script2, args2);
      }),
      { numRuns: 2000, endOnFailure: true },
    );
    expect(found.failed).toBe(true);
  },
  60_000,
);
