import { installed } from "./conversation.ts";
import { dialling } from "./dialling.ts";
import { handshaking } from "./handshaking.ts";
import { choosing, passing } from "./passing.ts";
import { relaying } from "./relaying.ts";
import type { Row } from "./row.ts";

/** The steps of a connection, in their order. */
const STEPS: [name: string, rows: Row[]][] = [
  ["choosing how to hand over", choosing],
  ["connecting", dialling],
  ["the multiplexer's handshake", handshaking],
  ["passing the connection", passing],
  ["relaying", relaying],
];

/** As many runs as this at a time. */
const AT_ONCE = 3;

Deno.test.afterAll(() => installed[Symbol.dispose]());

for (const [step, rows] of STEPS) {
  for (const row of rows) {
    const { fault, from, leftOut, ending } = row;
    const how = typeof ending === "string" ? ending : "signal" in ending ? ending.signal : `exit code ${ending.code}`;
    const name = `${step}: ${fault} (${from}) is ${how}`;
    Deno.test({
      name: leftOut === undefined ? name : `${name} (left out: ${leftOut})`,
      ignore: leftOut !== undefined,
      fn: async () => {
        const runs = [...await row.runs()];
        if (runs.length === 0) throw new Error("nothing meets with it");
        const failures: unknown[] = [];
        const work = async () => {
          for (let next; (next = runs.shift()) !== undefined;) {
            const [name, run] = next;
            try {
              await run();
            } catch (thrown) {
              failures.push(`${name}: ${thrown}`);
              // The others would fail in the same way, and some of them take long.
              if (failures.length >= AT_ONCE) return;
            }
          }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, work));
        if (failures.length > 0) throw new Error(failures.join("\n\n"));
      },
    });
  }
}
