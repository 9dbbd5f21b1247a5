/**
 * What `list` finds, and how it is shown: to a person, to a shell, and as JSON.
 *
 * @module
 */

import { escapeForTerminal } from "../../core/text.ts";
import { needsAlias } from "../ssh/needs_alias.ts";
import { jsonText } from "../terminal/json.ts";
import { padEnd, widthOf } from "../terminal/width.ts";
import { wrap } from "../terminal/wrap.ts";

/** Something on this machine that `ssh` can be told to connect to. */
export interface ListEntry {
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
 * Returns a table for a terminal of `columns`, with a header. A terminal that is too narrow for it has each address on a line
 * of its own, and the rest below it: nothing is cut, as all of it may be copied.
 */
export function toTable(all: readonly ListEntry[], columns: number): string {
  const rows = [["ADDRESS", "WHAT", "NAME", "NEEDS"], ...all.map(cells)];
  if (!all.some(({ address }) => needsAlias(address))) { for (const row of rows) row.pop(); }
  const widths = rows[0]!.map((_title, column) => rows.reduce((most, row) => Math.max(most, widthOf(row[column]!)), 0));
  if (widths.reduce((sum, width) => sum + width + GAP, -GAP) > columns) return asBlocks(all.map(cells), columns);
  const line = (row: string[]) => row.map((cell, column) => padEnd(cell, widths[column]!)).join(" ".repeat(GAP));
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}

/** Between two columns. */
const GAP = 2;

/** Returns for each row its first cell on a line of its own, and the others below it. */
function asBlocks(rows: readonly string[][], columns: number): string {
  return rows.map(([address, what, name, needs]) => {
    const rest = [what, name, needs && `needs ${needs}`].filter((cell) => cell).join(", ");
    return `${address}\n${wrap(rest, columns - GAP).map((line) => `${" ".repeat(GAP)}${line}\n`).join("")}`;
  }).join("");
}

/** Lines of cells with tabs between them: the address first. */
export function toTsv(all: readonly ListEntry[]): string {
  const rows = all.map(cells);
  // Without a header, the last has to say of itself what it is.
  return rows.map(([address, what, name, needs]) => `${address}\t${what}\t${name}\t${needs && `needs ${needs}`}\n`)
    .join("");
}

/** An array of objects that all have the same names. */
export function toJson(all: readonly ListEntry[]): string {
  const objects = all.map(({ address, kind, source, name = null, cid = null, pid = null, uid = null }) => (
    { address, kind, source, name, cid, pid, uid, needsAlias: needsAlias(address) }
  ));
  return jsonText(objects);
}

function cells(one: ListEntry): string[] {
  const name = one.name ?? (one.cid === undefined ? "" : `CID ${one.cid}`);
  return [
    escapeForTerminal(one.address, Infinity),
    escapeForTerminal(one.what),
    escapeForTerminal(name),
    needsAlias(one.address) ? ALIAS : "",
  ];
}
