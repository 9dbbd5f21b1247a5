/**
 * The errors of waiting for an SSH server's banner.
 *
 * @module
 */

import { formOf, isSocketTarget, type Target } from "../addresses/forms.ts";
import { targetLabel } from "../addresses/target.ts";
import { type Deadline, formatSeconds } from "../core/deadline.ts";
import { ProxyError } from "../core/errors.ts";
import { quoteBytes } from "../core/text.ts";
import type { SystemError } from "../ffi/errno.ts";

/** Returns the error for a server that ended the connection before its banner. */
export function closedBeforeBannerError(target: Target, cause?: SystemError): ProxyError {
  return new ProxyError("unreachable", `${targetLabel(target)}: the connection was closed before an SSH banner came`, {
    cause,
    hint: "is the sshd there still starting, has it no host keys (ssh-keygen -A makes them), " +
      "or as many connections as it takes (MaxStartups)?",
  });
}

/** Returns the error for a server that sends nothing. */
export function bannerTimeoutError(target: Target, deadline: Deadline): ProxyError {
  const other = silenceHint(target);
  return new ProxyError(
    "timeout",
    `${targetLabel(target)}: connected, but no SSH banner within ${formatSeconds(deadline)}`,
    { hint: `is it an sshd that listens there?${other === undefined ? "" : ` ${other}`}` },
  );
}

function silenceHint(target: Target): string | undefined {
  return isSocketTarget(target) ? formOf(target).silenceHint?.(target) : undefined;
}

/** Returns the error for a server that sends something else; `ended` says whether the connection ended after it. */
export function notSshError(target: Target, received: Uint8Array, ended: boolean): ProxyError {
  const end = ended ? ", and then the end" : "";
  return new ProxyError(
    "protocol",
    `${targetLabel(target)}: the server said "${quoteBytes(received)}"${end}, not an SSH banner`,
    { hint: "is it an sshd that listens there?" },
  );
}

/** Returns the error for a server that sends more lines before its banner than the socket holds. */
export function hiddenBannerError(target: Target): ProxyError {
  return new ProxyError(
    "protocol",
    `${targetLabel(target)}: the server says more lines before its SSH banner than fit here`,
    { hint: "ssh reads them all: try it" },
  );
}
