/**
 * The program. Its ProxyCommand form is proxy.ts; everything that a person types is in commands/.
 *
 * @module
 */

import { isProxyInvocation } from "./proxy/invocation.ts";

if (isProxyInvocation(Deno.args)) await import("./proxy.ts");
else await import("./commands/main.ts");
