/**
 * What a systemd-machined may reply, and what must hold of what is read of it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Machine } from "../../addresses/machined.ts";

/** That a machine has the types that it promises, and nothing else. */
export function assertTyped({ name, class: kind, service, vSockCid, sshAddress, ...others }: Machine): void {
  assertEquals([typeof name, typeof kind, others], ["string", "string", {}]);
  for (const text of [service, sshAddress]) assert(text === undefined || typeof text === "string");
  if (vSockCid !== undefined) assert(Number.isInteger(vSockCid) && vSockCid >= 0 && vSockCid < 2 ** 32);
}

/** What `field` gives, and sometimes anything else. */
function mostly<T>(field: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: field }, { weight: 1, arbitrary: fc.jsonValue() });
}

/** A reply, or what is much like one. */
export const anyReply: fc.Arbitrary<string> = fc.oneof(
  fc.json(),
  fc.string(),
  fc.record({
    parameters: fc.record(
      {
        name: mostly(fc.constantFrom("foo", "", "\x1b")),
        class: mostly(fc.constantFrom("vm", "container", "host")),
        service: mostly(fc.constant("systemd-nspawn")),
        vSockCid: mostly(fc.oneof(fc.nat(), fc.constantFrom(0, -0, 2 ** 32 - 1, 2 ** 32, -1, 0.5, null))),
        sshAddress: mostly(fc.constant("vsock/3")),
      },
      { requiredKeys: ["name", "class"] },
    ),
    continues: fc.oneof(fc.boolean(), fc.jsonValue()),
  }, { requiredKeys: ["parameters"] }).map((reply) => JSON.stringify(reply)),
  fc.record({ error: fc.oneof(fc.string(), fc.jsonValue()) }).map((reply) => JSON.stringify(reply)),
);
