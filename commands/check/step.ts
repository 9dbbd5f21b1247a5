/**
 * A step of `check`: a name, how it went, and how long it took.
 *
 * @module
 */

import type { Target } from "../../addresses/forms.ts";
import { ProxyError } from "../../core/errors.ts";

/**
 * The names of steps, which JSON has too. `ssh` is about the configuration of `ssh`, and `try` has `ssh` itself connect. The
 * lookup of a name is called by the form of its address.
 */
export type StepName =
  | "name"
  | "address"
  | Target["kind"]
  | "socket"
  | "connect"
  | "peer"
  | "handshake"
  | "banner"
  | "ssh"
  | "try";

/** A step that has ended. */
export interface Step extends Omit<Finding, "status"> {
  readonly name: StepName;
  readonly status: "ok" | "note" | "failed";
  /** How long the step took. */
  readonly milliseconds: number;
  /** The exit code of the program, if the step failed. */
  readonly exitCode?: number;
}

/** The outcome of a step that did not fail. */
export interface Finding {
  /** One line for people. */
  readonly message: string;
  /** What to do, if something is wrong. */
  readonly hint?: string | undefined;
  /** The same for programs, under names that stay. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
  /** Something is wrong, but a connection can work all the same. */
  readonly status?: "note";
}

/** Runs a step. Returns its value, or undefined if it failed. */
export type StepRunner = <Value>(
  name: StepName,
  work: () => Promise<[Value, Finding]> | [Value, Finding],
) => Promise<Value | undefined>;

/** Returns a runner that calls `begins` before each step and `ended` after it. */
export function stepRunner(begins: (name: StepName) => void, ended: (step: Step) => Promise<void>): StepRunner {
  return async (name, work) => {
    begins(name);
    const began = performance.now();
    const end = (rest: Omit<Step, "name" | "milliseconds">) =>
      ended({ name, milliseconds: Math.round((performance.now() - began) * 1000) / 1000, ...rest });
    try {
      const [value, finding] = await work();
      await end({ status: "ok", ...finding });
      return value;
    } catch (thrown) {
      if (!(thrown instanceof ProxyError)) throw thrown;
      const { message, hint, kind, exitCode } = thrown;
      await end({ status: "failed", message, hint, facts: { error: kind }, exitCode });
      return undefined;
    }
  };
}
