/**
 * Makes a bundle one string that V8 alone parses. Deno parses each module by itself before V8 does, and keeps what it finds in
 * its cache, which a connection does without. Only for a bundle that neither imports nor exports anything.
 *
 *     deno run --allow-read=FILE --allow-write=FILE release/unparsed.js FILE
 *
 * @module
 */

const [file] = Deno.args;
const program = JSON.stringify(`(async () => {${Deno.readTextFileSync(file)}})()`);
Deno.writeTextFileSync(file, `await (0, eval)(${program});\n`);
