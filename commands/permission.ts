/**
 * What to do about a grant that Deno was not given.
 *
 * @module
 */

/** How to run this with `grants`. An executable that `deno compile` made has those that it was made with, and no others. */
export function permissionHint(grants: string): string {
  return Deno.build.standalone
    ? "a standalone executable may do no more than connect: the other ways to install deno-ssh-proxy have this too"
    : `run it with ${grants}`;
}
