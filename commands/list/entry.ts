/**
 * The entries of `list`, and their formats: a table, lines with tabs, and JSON.
 *
 * @module
 */

import { escapeForTerminal } from "../../core/text.ts";
import { needsAlias } from "../ssh/needs_alias.ts";
import { jsonText } from "../terminal/json.ts";
import { padEnd, widthOf } from "../terminal/width.ts";
import { wrap } from "../terminal/wrap.ts";

/** A server on this machine that `ssh` can connect to. */
export interface ListEntry {
  /** The host name for `ssh`. */
  readonly address: string;
  readonly kind: "host" | "container" | "virtual-machine";
  /** The program that runs it, or knows it. */
  readonly source:
    | "machined"
    | "systemd-nspawn"
    | "systemd-ssh-generator"
    | "firecracker"
    | "cloud-hypervisor"
    | "vhost-device-vsock"
    | "qemu";
  /** The kind and the source for a person. */
  readonly what: string;
  /** Its name there. */
  readonly name?: string | undefined;
  /** A virtual machine's CID. */
  readonly cid?: number | undefined;
  /** The process that listens, and its user. */
  readonly pid?: number | undefined;
  readonly uid?: number | undefined;
}

/** The need of an address that `ssh` does not take as a host name. */
const ALIAS = "an alias";

/**
 * Returns a table with a header for a terminal of `columns`. On a terminal that is too narrow, each address has a line of its own,
 * and the rest is below it. Nothing is cut off, so that all of it can be copied.
 */
export function toTable(all: readonly ListEntry[], columns: number): string {
  const rows = [["ADDRESS", "WHAT", "NAME", "NEEDS"], ...all.map(cells)];
  if (!all.some(({ address }) => needsAlias(address))) { for (const row of rows) row.pop(); }
  const widths = rows[0]!.map((_title, column) => rows.reduce((most, row) => Math.max(most, widthOf(row[column]!)), 0));
  if (widths.reduce((sum, width) => sum + width + GAP, -GAP) > columns) return asBlocks(all.map(cells), columns);
  const line = (row: string[]) => row.map((cell, column) => padEnd(cell, widths[column]!)).join(" ".repeat(GAP));
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}

/** The spaces between two columns. */
const GAP = 2;

/** Formats each row with its first cell on a line of its own, and the others below it. */
function asBlocks(rows: readonly string[][], columns: number): string {
  return rows.map(([address, what, name, needs]) => {
    const rest = [what, name, needs && `needs ${needs}`].filter((cell) => cell).join(", ");
    return `${address}\n${wrap(rest, columns - GAP).map((line) => `${" ".repeat(GAP)}${line}\n`).join("")}`;
  }).join("");
}

/** Formats lines of cells with tabs between them, the address first. */
export function toTsv(all: readonly ListEntry[]): string {
  const rows = all.map(cells);
  // Without a header, the last cell has to explain itself.
  return rows.map(([address, what, name, needs]) => `${address}\t${what}\t${name}\t${needs && `needs ${needs}`}\n`)
    .join("");
}

/** Formats an array of objects that all have the same names. */
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
