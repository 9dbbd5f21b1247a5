/**
 * Where the ssh_config drop-in is: for root in a directory of the system, for anybody else in ~/.ssh.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { SYSTEM_SETTINGS } from "./settings.ts";

/** The place of a drop-in. */
export interface ConfigLocation {
  readonly directory: string;
  /** The name of the drop-in in that directory. */
  readonly fileName: string;
  /** The user's home, whose ssh_config has to include the drop-in; undefined for the system's. */
  readonly home: string | undefined;
  /** The default user to log in as; undefined leaves it to ssh. */
  readonly user?: string | undefined;
}

/**
 * Root's location, which the ssh of every user reads. ssh takes the first value of an option, in the order of the names of
 * the files: systemd's has the number 20.
 */
export const SYSTEM_LOCATION: ConfigLocation = {
  directory: "/etc/ssh/ssh_config.d",
  fileName: "10-deno-ssh-proxy.conf",
  home: undefined,
  user: SYSTEM_SETTINGS.user,
};

/**
 * Returns the location for the user `uid` with this `HOME`.
 *
 * @throws {ProxyError} of kind `usage` if HOME is not an absolute path
 */
export function configLocation(uid: number | null, home: () => string | undefined): ConfigLocation {
  if (uid === 0) return SYSTEM_LOCATION;
  const directory = home();
  if (!directory?.startsWith("/")) {
    throw new ProxyError(
      "usage",
      `HOME is ${directory ? `'${escapeForTerminal(directory)}'` : "not set"}: there is no ~/.ssh`,
      {
        hint: "set it to the folder that ssh takes for your home",
      },
    );
  }
  const plain = directory.replace(/(?<=.)\/+$/, "");
  return { directory: `${plain}/.ssh`, fileName: "deno-ssh-proxy.conf", home: plain };
}

/** Returns the path of the drop-in. */
export function dropInPath({ directory, fileName }: ConfigLocation): string {
  return `${directory}/${fileName}`;
}
