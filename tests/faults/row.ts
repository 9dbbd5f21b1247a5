/**
 * A row of the fault table: one fault in one step, the runs that meet with it, and how each of them is to end.
 *
 * @module
 */

import { AS_NOBODY, canBecomeNobody, IS_ROOT } from "../support/ordinary_user.ts";
import { CAN_TRACE } from "../support/tools.ts";
import { type Call, callsOf, runWith, type Step } from "./calls.ts";
import { type Ending, type Form, FORMS, type Opening, type Plan, run, type Way, WAYS } from "./conversation.ts";

/** The words that start the program as somebody who may write nowhere; why that cannot be, where it cannot. */
export const AS_ORDINARY_USER = IS_ROOT ? AS_NOBODY : [];
export const NO_ORDINARY_USER = !IS_ROOT || canBecomeNobody() ? undefined : "root cannot become somebody else here";

/** The runs of a row, by what tells them apart. */
export type Runs = Map<string, () => Promise<void>>;

/** One fault, everywhere in a step where it may come. */
export interface Row {
  /** What the table says of it. */
  fault: string;
  /** Where it comes from. */
  from: string;
  ending: Ending;
  runs: () => Runs | Promise<Runs>;
  /** Why it cannot be tried here. */
  leftOut?: string | undefined;
}

/** Which forms and ways a fault can meet with: all, where it is not said. */
export interface Reach {
  forms?: readonly Form[];
  ways?: readonly Way[];
}

/** `plan` in every form and way. */
export function everyWay(plan: Omit<Plan, "form" | "way">, ending: Ending, reach: Reach = {}): Runs {
  const runs: Runs = new Map();
  for (const form of reach.forms ?? FORMS) {
    for (const way of reach.ways ?? WAYS) runs.set(`${form}, ${way}`, () => run({ ...plan, form, way }, ending));
  }
  return runs;
}

/** A fault that comes from what is around the program. */
export function surrounded(
  fault: string,
  from: string,
  ending: Ending,
  plan: Omit<Plan, "form" | "way">,
  { leftOut, ...reach }: Reach & Pick<Row, "leftOut"> = {},
): Row {
  return { fault, from, ending, leftOut, runs: () => everyWay(plan, ending, reach) };
}

/** What goes wrong with system calls. */
export interface Injection extends Reach {
  step: Step;
  /** To each of these calls in that step, in a run of its own. */
  calls: readonly string[];
  /** Of these calls, those that strace writes like this. */
  only?: RegExp;
  /** Of those, as many as this; all, where it is not said. */
  first?: number;
  /** As strace's inject has it. */
  what: string;
  /** How often, one after the other. */
  times?: number;
  /** How long the program may wait for it to pass, in milliseconds. */
  timeout?: number;
  /** What the server does before; a name of it. */
  opening?: [Opening, string];
  /** A call that this process may not make (seccomp), whatever else happens. */
  refused?: string;
}

/** A fault that is put in the place of what the kernel would say. */
export function injected(fault: string, ending: Ending, injection: Injection): Row {
  const { step, calls, only = /^/, first, what, times = 1, timeout, opening, refused, forms = FORMS, ways = WAYS } =
    injection;
  const plan = { ...opening && { opening: opening[0] }, ...timeout !== undefined && { timeout } };
  const runs = async () => {
    const runs: Runs = new Map();
    for (const form of forms) {
      for (const way of ways) {
        const all = await callsOf({ ...plan, form, way }, opening?.[1], refused);
        const meant = (one: Call) => one.step === step && calls.includes(nameOf(one)) && only.test(one.line);
        for (const call of all.filter(meant).slice(0, first)) {
          const name = `${form}, ${way}, ${call.name} number ${call.nth}`;
          runs.set(name, () => runWith({ ...plan, form, way }, call, what, ending, times, refused));
        }
      }
    }
    return runs;
  };
  return {
    fault,
    from: calls.map((name) => `${name}(2)`).join(", "),
    ending,
    leftOut: CAN_TRACE ? undefined : "there is no strace here, or it may not trace",
    runs,
  };
}

/** Processors differ in which of two calls the C library makes. */
function nameOf({ name }: Call): string {
  return name === "newfstatat" ? "fstat" : name === "ppoll" ? "poll" : name;
}

/** A row for each of these errors. */
export function errors(names: string[], ending: (name: string) => Ending, injection: Omit<Injection, "what">): Row[] {
  return names.map((name) => injected(name, ending(name), { ...injection, what: `error=${name}` }));
}

/** How a fault ends that has no meaning but its own. */
export function named(code: number): (name: string) => Ending {
  return (name) => ({ code, says: `(${name})` });
}

/** A few signals in a row, and very many. */
export function interruptions(injection: Omit<Injection, "what" | "times">): Row[] {
  return [1, 1000].map((times) =>
    injected(times === 1 ? "EINTR" : `EINTR ${times} times in a row`, "handed over", {
      ...injection,
      what: "error=EINTR",
      times,
    })
  );
}

/** A signal that ends the program, at each of these calls. */
export function signals(injection: Omit<Injection, "what">): Row[] {
  return (["SIGTERM", "SIGHUP"] as const).map((signal) =>
    injected(signal, { signal }, { ...injection, what: `signal=${signal}` })
  );
}
