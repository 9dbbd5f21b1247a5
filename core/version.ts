/** The version of this program, and of the one library that it works with. */
import manifest from "../deno.json" with { type: "json" };

export const VERSION = manifest.version;
