/**
 * Whether ssh can share a connection to an address, as `ControlMaster` and `ControlPath` have it (ssh_config(5)).
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { SystemError } from "../../ffi/errno.ts";
import { pathStatus } from "../../ffi/inspection.ts";
import type { Library } from "../../ffi/library.ts";
import { type EffectiveConfig, originOf } from "../ssh/effective_config.ts";

/** The longest path of a socket, without its final NUL: sun_path of unix(7), on Linux. */
const LONGEST_PATH = 107;

/** A dot and 16 characters, which ssh appends while it makes the socket (muxserver_listen in OpenSSH's mux.c). */
const APPENDED = 17;

/** What works, and is worth knowing. */
export interface Remark {
  readonly message: string;
  readonly hint: string;
}

/**
 * Returns a remark where a shared connection hides something.
 *
 * @throws {ProxyError} of kind `configuration` where ssh ends with 255 because no socket can be at its ControlPath
 */
export async function inspectControlPath(effective: EffectiveConfig, library: Library): Promise<Remark | undefined> {
  const { options } = effective;
  const path = options.get("controlpath") ?? "none";
  if (path === "none") return undefined;
  const obstacle = obstacleTo(path, isMaster(options.get("controlmaster")), library);
  if (obstacle !== undefined) {
    const message = `ssh ends with 255: no socket can be at ControlPath ${
      escapeForTerminal(path)
    }: ${obstacle.message}`;
    // A hash has no slash in it, which could be what names a directory that is not there.
    const isHashed = /[0-9a-f]{40}[^/]*$/.test(path);
    const hint = isHashed && obstacle.missing !== undefined
      ? `make it: mkdir -m 700 ${escapeForTerminal(obstacle.missing, Infinity)}`
      : `write ControlPath ${isHashed ? "none" : "~/.ssh/cm-%C"} in ${await whereOf(effective)}`;
    throw new ProxyError("configuration", message, { hint });
  }
  if ((options.get("controlpersist") ?? "no") === "no") return undefined;
  return {
    message: "with ControlPersist, ssh discards the messages of its ProxyCommand",
    hint: "ssh -v shows them",
  };
}

/** Whether ssh makes a socket for others; with `ask` and `autoask` as well. */
function isMaster(controlMaster = "false"): boolean {
  return controlMaster !== "false" && controlMaster !== "no";
}

/** Why there can be no socket at `path`, and the directory that is missing, where that is why. */
function obstacleTo(
  path: string,
  makesSocket: boolean,
  library: Library,
): { message: string; missing?: string } | undefined {
  const length = new TextEncoder().encode(path).length;
  // It looks for somebody else's socket in any case.
  const most = makesSocket ? LONGEST_PATH - APPENDED : LONGEST_PATH;
  if (length > most) return { message: `it has ${length} bytes, and may have ${most}` };
  if (!makesSocket) return undefined;
  const directory = path.includes("/") ? path.replace(/\/+[^/]*$/, "") || "/" : ".";
  try {
    return pathStatus(library, directory).isDirectory
      ? undefined
      : { message: `${escapeForTerminal(directory)} is not a directory` };
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    if (thrown.code !== "ENOENT" && thrown.code !== "ENOTDIR") return undefined;
    return { message: `there is no directory ${escapeForTerminal(directory)}`, missing: directory };
  }
}

async function whereOf(effective: EffectiveConfig): Promise<string> {
  const file = await originOf("controlpath", effective);
  return file === undefined ? "~/.ssh/config" : escapeForTerminal(file, Infinity);
}
