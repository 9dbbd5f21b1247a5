/**
 * The list of all address forms.
 *
 * @module
 */

import { lowerAscii } from "../core/text.ts";
import type { AddressForm, SocketForm } from "./form.ts";
import { machine } from "./machine.ts";
import { unix } from "./unix.ts";
import { vsock } from "./vsock.ts";
import { vsockMux } from "./vsock_mux.ts";

/** The forms, in the order in which help texts list them. */
export const FORMS = [unix, vsock, vsockMux, machine] as const;

type Form = typeof FORMS[number];
type TargetOf<SomeForm> = SomeForm extends AddressForm<infer SomeTarget> ? SomeTarget : never;

/** What can be connected to. A target that `parseTarget` made is valid. */
export type Target = TargetOf<Form>;

/** A target that is itself a socket, and not a name for one. */
export type SocketTarget = TargetOf<Extract<Form, SocketForm>>;

/** Returns the form of `target`. */
export function formOf(target: SocketTarget): SocketForm;
export function formOf(target: Target): AddressForm;
export function formOf({ kind }: Target): AddressForm {
  return FORMS.find(({ name }) => name === kind)!;
}

/** Returns the form called `name`, in any case; undefined if there is none. */
export function formNamed(name: string): AddressForm | undefined {
  return FORMS.find((form) => form.name === name) ?? FORMS.find((form) => form.name === lowerAscii(name));
}

/** Returns whether `target` is itself a socket. */
export function isSocketTarget(target: Target): target is SocketTarget {
  return "endpoint" in formOf(target);
}
