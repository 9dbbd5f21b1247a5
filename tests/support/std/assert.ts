// Deno's std as npm has it: the same code as jsr:@std/assert. To use that one, point "@std/assert" in deno.json at it and
// delete this folder.
// @ts-types="./assert.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
