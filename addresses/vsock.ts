/**
 * `vsock/CID`: a virtual machine, the host or this machine over AF_VSOCK (vsock(7)).
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import { parseUint32 } from "../core/numbers.ts";
import { escapeForTerminal, lowerAscii } from "../core/text.ts";
import { type AddressText, invalidAddress, type SocketForm } from "./form.ts";

/** An AF_VSOCK socket. */
export interface VsockTarget {
  /** The name of the address form. */
  readonly kind: "vsock";
  /** 0 to 2^32 − 2. */
  readonly cid: number;
  /** 0 to 2^32 − 2. */
  readonly port: number;
}

/** The CIDs of this machine itself, and of the host of a virtual machine (linux/vm_sockets.h). */
export const VMADDR_CID_LOCAL = 1;
export const VMADDR_CID_HOST = 2;

/** VMADDR_CID_ANY and VMADDR_PORT_ANY of vsock(7): for bind(2), and not to connect to. */
export const VMADDR_ANY = 2 ** 32 - 1;

/** The names of CIDs that vsock(7) has and systemd-ssh-proxy takes. */
const NAMED_CIDS: Record<string, number> = { hypervisor: 0, local: VMADDR_CID_LOCAL, host: VMADDR_CID_HOST };

const HIGHEST = VMADDR_ANY - 1;

export const vsock: SocketForm<VsockTarget> = {
  name: "vsock",
  argument: "CID",
  brief: "a virtual machine, or local, host, hypervisor",
  keepsCase: false,
  takesPort: true,
  highestPort: HIGHEST,
  parse(text) {
    const cid = parseCid(text);
    if (text.port === VMADDR_ANY) throw anyPortError();
    return { kind: "vsock", cid, port: text.port };
  },
  format: ({ cid }) => String(cid),
  describe: ({ cid, port }) => `AF_VSOCK: CID ${cid}${cidMeaning(cid)}, port ${port}`,
  guess: (text) => /^[0-9]+$/.test(text) ? `vsock/${text}` : undefined,
  endpoint: ({ cid, port }) => ({ family: "vsock", cid, port }),
};

function cidMeaning(cid: number): string {
  return cid === VMADDR_CID_LOCAL ? " (this machine)" : cid === VMADDR_CID_HOST ? " (the host)" : "";
}

/** Returns the error for VMADDR_PORT_ANY as a port to connect to. */
function anyPortError(): ProxyError {
  return new ProxyError("usage", `port '${VMADDR_ANY}': it stands for any port (VMADDR_PORT_ANY)`, {
    hint: `over vsock, a port is a decimal number from 0 to ${HIGHEST}`,
  });
}

function parseCid({ address, rest }: AddressText): number {
  const name = lowerAscii(rest);
  const cid = parseUint32(rest) ?? (Object.hasOwn(NAMED_CIDS, name) ? NAMED_CIDS[name] : undefined);
  if (cid !== undefined && cid !== VMADDR_ANY) return cid;
  const [before = "", ...behind] = rest.split(":");
  // The hint for `vsock/42:22` says where a port belongs. This one is for text behind the colon that is not a port.
  if (behind.length > 0 && parseUint32(before) !== undefined && parseUint32(behind.at(-1)!) === undefined) {
    const hint = `a port is a decimal number from 0 to ${HIGHEST}`;
    throw invalidAddress(address, `'${escapeForTerminal(behind.join(":"))}' is not a port`, hint);
  }
  const names = Object.keys(NAMED_CIDS).join(", ");
  throw invalidAddress(
    address,
    cid === undefined ? "not a CID" : "it stands for any CID (VMADDR_CID_ANY)",
    `a CID is a decimal number from 0 to ${HIGHEST}, or one of ${names}`,
  );
}
