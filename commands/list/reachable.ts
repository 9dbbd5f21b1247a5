/**
 * What `list` finds, and how it is shown: to a person, to a shell, and as JSON.
 *
 * @module
 */

import { printable } from "../../proxy/errors.ts";
import { jsonText } from "../json.ts";

/** Something on this machine that `ssh` can be told to connect to. */
export interface Reachable {
  /** The host name for `ssh`. */
  readonly address: string;
  readonly kind: "host" | "container" | "virtual-machine";
  /** What told of it, or runs it. */
  readonly source:
    | "machined"
    | "systemd-nspawn"
    | "systemd-ssh-generator"
    | "firecracker"
    | "cloud-hypervisor"
    | "vhost-device-vsock"
    | "qemu";
  /** The same for a person. */
  readonly what: string;
  /** What it is called there. */
  readonly name?: string | undefined;
  /** A virtual machine's CID. */
  readonly cid?: number | undefined;
  /** The process that listens, and its user. */
  readonly pid?: number | undefined;
  readonly uid?: number | undefined;
}

/** What an address needs that is no host name. */
const ALIAS = "an alias";

/**
 * Whether `ssh` refuses `address` as a host name, or takes it for something else: what its valid_hostname() has (OpenSSH
 * 9.6, and the comma 10.0), and an `@`, before which it looks for a user.
 */
export function needsAlias(address: string): boolean {
  // deno-lint-ignore no-control-regex
  return /['"`$\\;&<>|(){},@\s\x00-\x1f\x7f\uFFFD]/.test(address);
}

/** A table for a terminal of this many columns, with a header. Addresses are whole, whatever becomes of the table. */
export function asTable(all: readonly Reachable[], columns: number): string {
  const rows = [["ADDRESS", "WHAT", "NAME", "NEEDS"], ...all.map(cells)];
  if (!all.some(({ address }) => needsAlias(address))) { for (const row of rows) row.pop(); }
  const widths = rows[0]!.map((_title, column) => Math.max(...rows.map((row) => [...row[column]!].length)));
  // What does not fit is taken from the names first, and then from what they are.
  for (const [column, least] of [[2, 8], [1, 12]] as const) {
    const surplus = widths.reduce((sum, width) => sum + width + 2, -2) - columns;
    if (surplus > 0) widths[column] = Math.max(Math.min(least, widths[column]!), widths[column]! - surplus);
  }
  const line = (row: string[]) => row.map((cell, column) => fit(cell, widths[column]!)).join("  ").trimEnd();
  return rows.map((row) => `${line(row)}\n`).join("");
}

/** Lines of cells with tabs between them: the address first. */
export function asLines(all: readonly Reachable[]): string {
  const rows = all.map(cells);
  // Without a header, the last has to say of itself what it is.
  return rows.map(([address, what, name, needs]) => `${address}\t${what}\t${name}\t${needs && `needs ${needs}`}\n`)
    .join("");
}

/** An array of objects that all have the same names. */
export function asJson(all: readonly Reachable[]): string {
  const objects = all.map(({ address, kind, source, name = null, cid = null, pid = null, uid = null }) => (
    { address, kind, source, name, cid, pid, uid, needsAlias: needsAlias(address) }
  ));
  return jsonText(objects);
}

function cells(one: Reachable): string[] {
  const name = one.name ?? (one.cid === undefined ? "" : `CID ${one.cid}`);
  return [printable(one.address, Infinity), printable(one.what), printable(name), needsAlias(one.address) ? ALIAS : ""];
}

function fit(cell: string, width: number): string {
  const characters = [...cell];
  return characters.length > width
    ? `${characters.slice(0, width - 1).join("")}…`
    : cell + " ".repeat(width - characters.length);
}
