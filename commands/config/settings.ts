/**
 * The settings of a drop-in, which stand in its comments.
 *
 * @module
 */

import { type Alias, parseAlias } from "../ssh/alias.ts";

/** The ways to treat host keys. The first is the default. */
export const HOST_KEYS = ["ephemeral", "tofu", "strict"] as const;

/** One of {@linkcode HOST_KEYS}. */
export type HostKeys = typeof HOST_KEYS[number];

/** The options of `config` that a drop-in is made with. */
export interface Settings {
  readonly aliases: readonly Alias[];
  readonly hostKeys: HostKeys;
  /** The user to log in as if no other file of ssh names one; undefined leaves it to ssh. */
  readonly user?: string | undefined;
}

/** The default settings. */
export const PLAIN: Settings = { aliases: [], hostKeys: HOST_KEYS[0] };

/** The default settings of the system's file. ssh reads it after the user's, so it can name a user, as systemd 262's does. */
export const SYSTEM_SETTINGS: Settings = { ...PLAIN, user: "root" };

/** The beginning of every drop-in of this program. */
export const BEGINNING = "# deno-ssh-proxy: ";

/** Parses the settings in the comments of a drop-in. Returns undefined for a file of another program. */
export function settingsOf(text: string): Settings | undefined {
  if (!text.startsWith(BEGINNING)) return undefined;
  const comments = text.split("\n").map((line) => /^ *# (--[a-z-]+) ([^]+)$/.exec(line) ?? []);
  const values = (option: string) => comments.flatMap(([, name, value = ""]) => name === option ? [value] : []);
  const [given] = values("--host-keys");
  const [user] = values("--user");
  return {
    aliases: values("--alias").map(parseAlias),
    hostKeys: HOST_KEYS.find((one) => one === given) ?? HOST_KEYS[0],
    ...(user === undefined ? {} : { user }),
  };
}
