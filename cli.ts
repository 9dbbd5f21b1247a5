/**
 * The program. Its ProxyCommand form is proxy.ts; everything that a person types is in commands/.
 *
 * @module
 */

import { isProxyForm } from "./proxy/invocation.ts";

if (isProxyForm(Deno.args)) await import("./proxy.ts");
else await import("./commands/main.ts");
