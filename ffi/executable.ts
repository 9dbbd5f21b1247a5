/** The URL of the executable that `deno compile` makes of this program. release/payload.sh replaces this file. */
export const EXECUTABLE_URL: string | undefined = undefined;
