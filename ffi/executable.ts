/** Where the executable belongs that `deno compile` made of this, as a URL: release/payload.sh writes it in here. */
export const EXECUTABLE_URL: string | undefined = undefined;
