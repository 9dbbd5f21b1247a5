/**
 * Being somebody who may write nowhere: root may do what a test wants to see refused, and becomes a user with no account
 * for it. Whoever runs the tests otherwise is ordinary enough.
 *
 * @module
 */

import { Folder } from "../../tools/checkout.ts";
import { outputOf, pathOf, works } from "../../tools/programs.ts";

export const IS_ROOT = outputOf("id", "-u").trim() === "0";

/** A user that there is no account of. */
export const NOBODY = 54321;

/** The words that start a program as that user, for root. */
export const AS_NOBODY = [
  pathOf("setpriv"),
  `--reuid=${NOBODY}`,
  `--regid=${NOBODY}`,
  "--clear-groups",
];

/** The words that run a program with mounts of its own: whoever is not root needs a namespace of users for it too. */
export const OWN_MOUNTS = [pathOf("unshare"), "--mount", ...(IS_ROOT ? [] : ["--map-root-user"])];

/** Whether root can become somebody who may start this Deno, and find what is in a new folder. */
export function canBecomeNobody(): boolean {
  if (!IS_ROOT) return false;
  using folder = new Folder();
  Deno.chmodSync(folder.path, 0o755);
  const [program, ...args] = AS_NOBODY;
  // setpriv looks a program up as root, and becomes the user afterwards: so that is left to env.
  const tries = [["env", Deno.execPath(), "--version"], ["test", "-x", `${folder.path}/.`]];
  return tries.every((words) => works(program!, [...args, ...words]));
}
