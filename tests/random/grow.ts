/**
 * Random models as text. A model is grown from a tape of numbers: each decision takes the next one, and when the
 * tape is used up only the first (plainest) choices are left, so that a shorter tape is a smaller model.
 */
import fc from "fast-check";
import { checksOf } from "../../src/explore/outcome.js";

/** What a piece of code can mention. */
interface Scope {
  /** Locals that hold a number. */
  readonly numbers: readonly string[];
  /** Locals that hold a pointer to an obj, or null. */
  readonly objects: readonly string[];
  /** Parameters and other locals that hold a box. */
  readonly boxes: readonly string[];
  /** In a property nothing may be waited for, called or changed. */
  readonly isProperty: boolean;
}

/** Text of a model for the tests' `load`. If threads are `alike` they all run the first procedure, on boxes that are alike or on the same. */
export function grow(tape: readonly number[], areAlike = false): string {
  let position = 0;
  let declared = 0;
  const take = (count: number): number => (position < tape.length ? (tape[position++] as number) % count : 0);
  const pick = <T>(...alternatives: readonly (() => T)[]): T => (alternatives[take(alternatives.length)] as () => T)();
  const one = (from: readonly string[]): string => from[take(from.length)] as string;
  /** True once in so many times. */
  const rarely = (times: number): boolean => take(times) === times - 1;
  const fresh = (letter: string): string => `${letter}${declared++}`;

  const box = (scope: Scope) => one(scope.boxes);

  function number(scope: Scope, depth = 0): string {
    const inner = () => number(scope, depth + 1);
    if (depth > 1) return String(take(3));
    return pick(
      () => String(take(3)),
      () => (scope.numbers.length > 0 ? one(scope.numbers) : "1"),
      () => `${box(scope)}.n`,
      () => `${box(scope)}.k`,
      () => `(${inner()} + ${inner()}) % 3`,
      () => `refcount_read(${box(scope)}.rc)`,
      () => `${box(scope)}.list.length`,
      () => `${box(scope)}.set.size`,
      () => `(${condition(scope, depth + 1)} ? ${inner()} : ${inner()})`,
    );
  }

  function condition(scope: Scope, depth = 0): string {
    const inner = () => condition(scope, depth + 1);
    const b = box(scope);
    if (depth > 2) return `${b}.flag`;
    return pick(
      () => `${b}.flag`,
      () => `${b}.on`,
      () => `${number(scope, depth)} < ${number(scope, depth)}`,
      () => `${number(scope, depth)} === ${number(scope, depth)}`,
      () => `${b}.mode !== "${one(["a", "b", "c"])}"`,
      () => `!(${inner()})`,
      () => `(${inner()} && ${inner()})`,
      () => `(${inner()} || ${inner()})`,
      () => `${pointer(scope)} === null`,
      () => `${pointer(scope)} === ${pointer(scope)}`,
      () => `list_empty(${b}.list)`,
      () => ofObject(scope, "false", (o) => `${b}.set.has(${o})`),
      () => ofObject(scope, "true", (o) => `${o}.v < 2`),
      () => ofObject(scope, "true", (o) => `${o}.w`),
      () => `${b}.m.isFree`,
      () => (scope.isProperty ? `state.all("obj").length < 2` : `${b}.list.every((o) => o.v < 2)`),
      () => (scope.isProperty ? ofObject(scope, "true", (o) => `!isFreed(${o})`) : `data_race(() => ${b}.k === 0)`),
    );
  }

  function pointer(scope: Scope): string {
    const b = box(scope);
    return pick(
      () => `${b}.p`,
      () => (scope.objects.length > 0 ? one(scope.objects) : `${b}.p`),
      () => `${b}.q`,
      () => `${b}.list.at(0)`,
      () => ofObject(scope, "null", (o) => `${o}.next`),
    );
  }

  /** Mostly asks first whether there is an object. */
  function ofObject(scope: Scope, otherwise: string, use: (object: string) => string): string {
    const o = scope.objects.length > 0 && take(2) === 1 ? one(scope.objects) : `${box(scope)}.${one(["p", "q"])}`;
    return rarely(8) ? use(o) : `(${o} === null ? ${otherwise} : ${use(o)})`;
  }

  function withObject(scope: Scope, use: (object: string) => string): string {
    const o = scope.objects.length > 0 && take(2) === 1 ? one(scope.objects) : `${box(scope)}.${one(["p", "q"])}`;
    return rarely(8) ? use(o) : `if (${o} !== null) { ${use(o)} }`;
  }

  function locked(scope: Scope, depth: number): string {
    const m = `${box(scope)}.${one(["m", "m", "m2"])}`;
    const inside = block(scope, depth + 1, 2);
    // Now and then the lock is not given back, or another one is.
    const unlock = rarely(10) ? (take(2) === 1 ? "" : `mutex_unlock(${box(scope)}.m2);`) : `mutex_unlock(${m});`;
    return `yield* mutex_lock(${m}); ${inside} ${unlock}`;
  }

  function block(scope: Scope, depth: number, atMost: number): string {
    let own = scope;
    const lines: string[] = [];
    for (let count = 1 + take(atMost); count > 0; count--) {
      const [text, next] = statement(own, depth);
      if (take(5) < 3) lines.push("yield;");
      lines.push(text);
      own = next;
    }
    return `{ ${lines.join("\n")} }`;
  }

  function statement(scope: Scope, depth: number): [string, Scope] {
    const b = box(scope);
    const nested = () => (depth > 1 ? "{ yield; }" : block(scope, depth + 1, 2));
    const same = (text: string): [string, Scope] => [text, scope];
    const numeric = (make: (name: string) => string): [string, Scope] => {
      const name = fresh("v");
      return [make(name), { ...scope, numbers: [...scope.numbers, name] }];
    };
    const objective = (make: (name: string) => string): [string, Scope] => {
      const name = fresh("o");
      return [make(name), { ...scope, objects: [...scope.objects, name] }];
    };
    return pick(
      () => same("yield;"),
      () => same(`${b}.flag = ${condition(scope)};`),
      () => same(`${b}.n = ${number(scope)};`),
      () => same(depth > 1 ? `${b}.k = ${number(scope)};` : locked(scope, depth)),
      () => same(`if (${condition(scope)}) ${nested()}`),
      () => same(`if (${condition(scope)}) ${nested()} else ${nested()}`),
      () => numeric((name) => `let ${name} = ${number(scope)};`),
      () => numeric((name) => `let ${name} = choose("number", [0, ${number(scope)}]);`),
      () =>
        same(scope.numbers.length > 0 ? `${one(scope.numbers.filter((name) => /^v/.test(name))) ?? "b.n"} = ${number(scope)};` : "yield;"),
      () => same(`${b}.mode = choose("mode", ["a", "b"]);`),
      () => same(`${b}.k = ${number(scope)};`),
      () => same(`${b}.on = ${condition(scope)};`),
      () => numeric((name) => `let ${name} = yield* ${one(["sub0", "sub1"])}(${b}, ${number(scope)});`),
      () => same(`${b}.n = (${number(scope)} + (yield* ${one(["sub0", "sub1"])}(${b}, ${number(scope)}))) % 3;`),
      () => same(rarely(3) ? `yield until(() => ${condition(scope)});` : `yield until(() => ${condition(scope)} || ${condition(scope)});`),
      () => same(rarely(4) ? "yield idle();" : `yield idle(() => ${condition(scope)} || ${condition(scope)});`),
      () => same(`if (${b}.p === null${rarely(4) ? "" : ` && ${b}.q === null`}) ${b}.${one(["p", "q"])} = kzalloc(s, "obj");`),
      () =>
        objective(
          (name) => `let ${name} = ${rarely(4) ? "" : `${pointer(scope)} !== null || `}fault("kzalloc") ? null : kzalloc(s, "obj");`,
        ),
      () => objective((name) => `let ${name} = ${pointer(scope)};`),
      () => same(`${b}.${one(["p", "q"])} = ${pointer(scope)};`),
      () => same(rarely(4) ? withObject(scope, (o) => `kfree(${o});`) : freed(scope, b)),
      () => same(withObject(scope, (o) => `${o}.v = ${number(scope)};`)),
      () => same(withObject(scope, (o) => `${o}.next = ${pointer(scope)};`)),
      () =>
        same(
          withObject(
            scope,
            (o) => `if (!${b}.list.includes(${o}) && ${b}.list.length < 2) list_add${one(["_tail", ""])}(${o}, ${b}.list);`,
          ),
        ),
      () =>
        same(
          withObject(scope, (o) => (rarely(4) ? `list_del(${o}, ${b}.list);` : `if (${b}.list.includes(${o})) list_del(${o}, ${b}.list);`)),
        ),
      () => same(withObject(scope, (o) => `${b}.set.${one(["add", "delete"])}(${o});`)),
      () => same(withObject(scope, (o) => `yield* mutex_lock(${o}.om); ${o}.w = ${condition(scope)}; mutex_unlock(${o}.om);`)),
      () => same(walk(scope, b, depth)),
      () => same(loop(scope, depth)),
      () => same(`if (fault("device")) ${nested()}`),
      () =>
        same(
          rarely(2)
            ? `if (refcount_read(${b}.rc) < ${rarely(6) ? 3 : 2}) kref_get(${b}.rc);`
            : `if (refcount_read(${b}.rc) > 0 && kref_put(${b}.rc)) ${nested()}`,
        ),
      () => same(`if (mutex_trylock(${b}.m2)) { ${b}.flag = ${condition(scope)}; mutex_unlock(${b}.m2); }`),
      () => same(`WARN_ON(${condition(scope)});`),
      () => same(rarely(6) ? `BUG_ON(${condition(scope)});` : `lockdep_assert_held(${b}.m);`),
      () => same(rarely(3) ? `assume(${condition(scope)});` : `WARN_ON(${condition(scope)} && ${condition(scope)});`),
      () => same(`if (${condition(scope)}) return ${number(scope)};`),
      () => same(rarely(8) ? `${b}.n++;` : `${b}.g = ${b}.g === 0 ? 1 : 0;`),
      () => same(`atomic("a test");`),
      () => same(nestedLocks(scope)),
      () =>
        same(
          `{ const pair = [${number(scope)}, ${pointer(scope)}, ${b}.mode]; yield; ${b}.n = pair[0]; ${b}.q = pair[1]; yield; ${b}.mode = pair[2]; }`,
        ),
      () =>
        same(
          `{ const lock = ${b}.${one(["m", "m2"])}; yield; yield* mutex_lock(lock); ${b}.k = ${number(scope)}; yield; mutex_unlock(lock); }`,
        ),
      () => same(rarely(8) ? (take(2) === 1 ? `mutex_unlock(${b}.m);` : `yield* mutex_lock(${b}.m2);`) : locked(scope, depth)),
      () => same(`if (!${b}.set.every((o) => false)) { const some = choose("some", [...${b}.set]); some.v = 1; yield; ${b}.q = some; }`),
    );
  }

  /** Two mutexes, one inside the other, in either order. */
  function nestedLocks(scope: Scope): string {
    const [first, second] = take(2) === 0 ? ["m", "m2"] : ["m2", "m"];
    const [b, c] = [box(scope), box(scope)];
    return `yield* mutex_lock(${b}.${first}); yield* mutex_lock(${c}.${second}); ${b}.on = ${condition(scope)}; mutex_unlock(${c}.${second}); yield; mutex_unlock(${b}.${first});`;
  }

  function freed(scope: Scope, b: string): string {
    const o = fresh("dead");
    const field = one(["p", "q"]);
    const clear = rarely(4) ? "" : `if (${b}.list.includes(${o})) list_del(${o}, ${b}.list); ${b}.set.delete(${o});`;
    const late = rarely(3) ? `yield; ${o}.v = ${number(scope)};` : "";
    return `if (${b}.${field} !== null) { const ${o} = ${b}.${field}; ${b}.${field} = null; ${clear} kfree(${o}); ${late} }`;
  }

  function walk(scope: Scope, b: string, depth: number): string {
    const o = fresh("each");
    const own = { ...scope, objects: [...scope.objects, o] };
    const inside = depth > 1 ? "yield;" : statement(own, depth + 1)[0];
    return `for (const ${o} of ${b}.${one(["list", "set"])}) { yield; ${inside} ${rarely(4) ? "break;" : ""} }`;
  }

  function loop(scope: Scope, depth: number): string {
    const i = fresh("i");
    const inside = depth > 1 ? "yield;" : statement({ ...scope, numbers: [...scope.numbers, i] }, depth + 1)[0];
    return `for (let ${i} = 0; ${i} < 2; ${i}++) { ${take(2) === 0 ? "yield;" : ""} ${inside} }`;
  }

  function judgement(scope: Scope): string {
    const holds = condition(scope);
    return pick(
      () => holds,
      () => `${condition(scope)} || ${holds}`,
      () => `(${condition(scope)} ? null : ${holds})`,
      () => `({ first: ${holds}, second: ${condition(scope)} })`,
    );
  }

  function propertyText(code: string): string {
    const ofBox: Scope = { numbers: [], objects: [], boxes: ["b"], isProperty: true };
    const window = pick(
      () => `always("box", (b, state) => ${judgement(ofBox)})`,
      () => `atRest("box", "${one(["m", "m2"])}", (b, state) => ${judgement(ofBox)})`,
      () => `onStep("box", (b, before, state) => ${stepJudgement(ofBox)})`,
      () => `onReturn("${one(["sub0", "sub1"])}", ([b, x], ret, state) => ${judgement({ ...ofBox, numbers: ["x", "ret"] })})`,
      () => `onReturn("t0", ([b], ret, state) => ${judgement(ofBox)})`,
      () => `atEnd("box", (b, state) => ${judgement(ofBox)})`,
      () => `atEnd((state) => state.all("box").every((b) => ${condition(ofBox)}))`,
      () => `sometimes("box", (b, state) => ${judgement(ofBox)})`,
      () => `always("obj", (o, state) => o.v < 2 && o.next !== o)`,
      () => `onStep("obj", (o, before) => before(() => o.v) <= o.v)`,
      () => `atRest("obj", "om", (o) => ${one(["!o.w", "o.w || o.v === 0", "o.next === null ? null : o.next.w"])})`,
    );
    return `claim("${code}", windows(s).${window})`;
  }

  function stepJudgement(scope: Scope): string {
    return pick(
      () => `before(() => ${condition(scope)}) || ${condition(scope)}`,
      () => judgement(scope),
      () => `before(() => ${number(scope)}) <= ${number(scope)}`,
      () => `(before(() => ${condition(scope)}) ? null : ${condition(scope)})`,
    );
  }

  function procedure(name: string, parameters: string, scope: Scope, ending: string): string {
    const body = block(scope, 0, name.startsWith("sub") ? 2 : 5);
    const isLoop = name.startsWith("t") && take(2) === 1;
    return `function* ${name}(${parameters}) { ${isLoop ? `for (;;) { yield; ${body} }` : `${body} ${ending}`} }`;
  }

  const threads = 2 + take(2);
  const boxes = 1 + take(2);
  const slots = 1 + take(2);
  const made = take(slots + 1);
  const faults = take(2);
  const goesOn = !rarely(6);
  const terminates = take(2) === 1;
  const properties = Array.from({ length: 1 + take(4) }, (_, each) => `P${each}`);
  const result = (scope: Scope) => `return ${number(scope)};`;
  const subScope: Scope = { numbers: ["x"], objects: [], boxes: ["b"], isProperty: false };
  const threadScope: Scope = { numbers: [], objects: [], boxes: boxes > 1 ? ["b", "b", "c"] : ["b"], isProperty: false };
  // sub0 calls nobody and sub1 only sub0, so that there is no recursion.
  const sub0 = procedure("sub0", "b, x", subScope, result(subScope)).replace(/yield\* sub[01]\(/g, "yield* leaf(");
  const sub1 = procedure("sub1", "b, x", subScope, result(subScope)).replace(/yield\* sub1\(/g, "yield* sub0(");
  const bodies = Array.from({ length: threads }, (_, each) => procedure(`t${each}`, "b, c", threadScope, ""));
  const claims = properties.map(propertyText);
  const alike = areAlike ? alikeThreads(threads, take(3), slots) : null;
  const started =
    alike?.threads ??
    Array.from(
      { length: threads },
      (_, each) => `thread("t${each}", t${each}, ${each % 2 === 1 && boxes > 1 ? "b1, b0" : `b0, b${boxes - 1}`})`,
    );
  const expected = `Object.fromEntries([${[...properties, ...checksOf(terminates)].map((code) => `"${code}"`).join()}].map((code) => [code, { verdict: "violated", reason: "random" }]))`;
  return `
const s = schema({
  box: {
    flag: flag(), on: flag().guardedBy("m"), n: counter(2), k: counter(2).guardedBy("m"), mode: enumeration("a", "b", "c"), g: counter(1).ghost(),
    p: ref("obj"), q: ref("obj"), set: setOf("obj"), list: list("obj", 2), m: mutex(), m2: mutex(), rc: refcount(2),
  },
  obj: { v: counter(2), next: ref("obj"), om: mutex(), w: flag().guardedBy("om") },
});
function* leaf(b, x) { yield; return (x + b.n) % 3; }
${sub0}
${sub1}
${bodies.join("\n")}
export const tiny = suiteOf(s, { pools: { obj: ${alike?.slots ?? slots} }, faults: ${faults}, terminates: ${terminates}, properties: [${claims.join(",\n")}], expected: ${goesOn ? expected : "{}"} }, (make) => {
  ${Array.from({ length: alike?.boxes ?? boxes }, (_, each) => `const b${each} = make("box", "b${each}"); kref_init(b${each}.rc, 1);`).join(" ")}
  ${alike?.objects ?? Array.from({ length: made }, (_, each) => `const o${each} = make("obj", "o${each}"); b0.${["p", "q"][each]} = o${each};`).join(" ")}
  return [${started.join(", ")}];
});
`;
}

interface AlikeThreads {
  readonly threads: readonly string[];
  readonly boxes: number;
  readonly objects: string;
  readonly slots: number;
}

/** So many threads with the first procedure: all on one box, each on its own beside a common one, or two on each other's. Their own boxes have an object each, or none. */
function alikeThreads(number: number, way: number, spare: number): AlikeThreads {
  const threads = Array.from({ length: number }, (_, each) => {
    const boxes = way === 0 ? "b0, b0" : way === 1 ? `b${each}, b${number}` : each === 0 ? "b0, b1" : each === 1 ? "b1, b0" : "b2, b2";
    return `thread("t${each}", t0, ${boxes})`;
  });
  const boxes = way === 0 ? 1 : way === 1 ? number + 1 : number;
  const owned = way > 0 && spare > 1 ? Array.from({ length: number }, (_, each) => `b${each}.p = make("obj", "o${each}");`) : [];
  return { threads, boxes, objects: owned.join(" "), slots: owned.length + spare };
}

export const tapes: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 100_000 }), { minLength: 60, maxLength: 400, size: "max" });

/** Random models, as text. */
export const models: fc.Arbitrary<string> = tapes.map((tape) => grow(tape));

/** The same, with threads that may be interchangeable. */
export const alikeModels: fc.Arbitrary<string> = tapes.map((tape) => grow(tape, true));
