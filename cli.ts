/**
 * The program. Its ProxyCommand form is proxy.ts; everything that a person types is in commands/.
 *
 * @module
 */

/** The first arguments that are commands rather than addresses. No address looks like one. */
const COMMANDS: (string | undefined)[] = [undefined, "config", "--help", "-h", "--version", "-V"];

if (COMMANDS.includes(Deno.args[0])) await import("./commands/main.ts");
else await import("./proxy.ts");
