/**
 * Where the ssh_config drop-in is: for root in a directory of the system, for anybody else in ~/.ssh.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { SYSTEM_SETTINGS } from "./settings.ts";

/** Where the configuration of a user or of the system is. */
export interface ConfigLocation {
  readonly directory: string;
  /** The name of the fragment in it. */
  readonly fileName: string;
  /** The user's home, where ssh_config has to include the fragment. */
  readonly home: string | undefined;
  /** The user to log in as where nobody asked for one; undefined where that is left to ssh. */
  readonly user?: string | undefined;
}

/**
 * For root, whose file every user's ssh reads. Of the folder's files ssh takes the first that says something, in the order
 * of their names: systemd's has the number 20.
 */
export const SYSTEM_LOCATION: ConfigLocation = {
  directory: "/etc/ssh/ssh_config.d",
  fileName: "10-deno-ssh-proxy.conf",
  home: undefined,
  user: SYSTEM_SETTINGS.user,
};

/** Where the configuration of the user `uid` with this `HOME` is. */
export function configLocation(uid: number | null, home: () => string | undefined): ConfigLocation {
  if (uid === 0) return SYSTEM_LOCATION;
  const folder = home();
  if (!folder?.startsWith("/")) {
    throw new ProxyError(
      "usage",
      `HOME is ${folder ? `'${escapeForTerminal(folder)}'` : "not set"}: there is no ~/.ssh`,
      {
        hint: "set it to the folder that ssh takes for your home",
      },
    );
  }
  const plain = folder.replace(/(?<=.)\/+$/, "");
  return { directory: `${plain}/.ssh`, fileName: "deno-ssh-proxy.conf", home: plain };
}

/** The path of the fragment. */
export function dropInPath({ directory, fileName }: ConfigLocation): string {
  return `${directory}/${fileName}`;
}
