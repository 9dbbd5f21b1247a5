/**
 * What an executable that needs no Deno begins with (release/payload.sh): it loads the same bundle that the shim would
 * start, by the same rule (commands/shim.sh).
 *
 * @module
 */

const [first = ""] = Deno.args;
if (!/[/%]/.test(first) && first !== ".host") await import("./cli.mjs");
else if (/^(?:machine[/%]|--)/.test(first) || Deno.args.join(" ").includes("--wait")) await import("./proxy.mjs");
else await import("./direct.mjs");
