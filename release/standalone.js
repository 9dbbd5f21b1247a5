/**
 * What an executable that needs no Deno begins with (release/payload.sh): it loads the same bundle that the starter would
 * run, by the same rule (rust/starter/src/invocation.rs).
 *
 * @module
 */

const [first = ""] = Deno.args;
const hasOption = /^--(?:as-typed|relay|timeout|wait)/.test(first);
if (!hasOption && !/[/%]|^\.host$/i.test(first)) await import("./cli.mjs");
else if (hasOption || /^machine[/%]/i.test(first) || Deno.args.join(" ").includes("--wait")) {
  await import("./proxy.mjs");
} else await import("./direct.mjs");
