/**
 * Waits for conditions.
 *
 * @module
 */

/** Connects to the AF_UNIX socket at `path` as soon as something listens on it. */
export async function connectWhenThere(path: string): Promise<Deno.UnixConn> {
  for (;;) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (thrown) {
      const early = thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.ConnectionRefused;
      if (!early) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/**
 * What `work` promises, or a failure where that takes for ever: a test that hangs says nothing about what is wrong. For
 * ever is `limit` milliseconds.
 */
export async function inTime<T>(work: PromiseLike<T>, limit = 10_000): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("it takes for ever")), limit);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
