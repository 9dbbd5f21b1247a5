/**
 * Checks targets that a program has made by itself. A separate module, so that the ProxyCommand does not contain it.
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";
import { FORMS, type Target } from "./forms.ts";
import { parseTarget } from "./target.ts";

/**
 * Returns `target` if {@linkcode parseTarget} could have made it.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function requireTarget(target: Target): Target {
  const fields: Partial<Record<string, unknown>> = Object(target);
  const form = FORMS.find(({ name }) => name === fields.kind);
  const { port = 0 } = form?.takesPort ? fields : {};
  const rest = typeof port === "number" ? restOf(target, form) : undefined;
  if (form !== undefined && rest !== undefined) {
    const parsed = parseTarget(`${form.name}/${rest}`, String(port));
    if (Object.entries(parsed).every(([field, value]) => fields[field] === value)) return parsed;
  }
  throw new ProxyError("usage", `target ${escapeForTerminal(Deno.inspect(target))}: not a target`, {
    hint: "parseTarget makes one of an address and a port",
  });
}

/** Returns the rest of the address of a value; undefined if the form cannot format it. */
function restOf(value: unknown, form: { format(target: never): string } | undefined): string | undefined {
  try {
    return form?.format(value as never);
  } catch {
    return undefined;
  }
}
