/**
 * The main module of the standalone executable (release/payload.sh). It loads the bundle that the starter would run, by the
 * same rule (rust/starter/src/invocation.rs).
 *
 * @module
 */

const [first = ""] = Deno.args;
const isAddress = /[/%]|^\.host$/i.test(first);
const hasOption = /^--(?:as-typed|relay|timeout|wait)/.test(first);
if (isAddress || hasOption) await import("./proxy.mjs");
else await import("./cli.mjs");
