/** The types of the assertions in use; the npm package comes without any. */

export function assert(condition: unknown, message?: string): asserts condition;
export function assertEquals<T>(actual: T, expected: T, message?: string): void;
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
export function assertMatch(actual: string, expected: RegExp, message?: string): void;
export function assertStringIncludes(actual: string, expected: string, message?: string): void;
export function assertInstanceOf<T>(
  actual: unknown,
  // deno-lint-ignore no-explicit-any
  expected: abstract new (...args: any[]) => T,
  message?: string,
): asserts actual is T;
export function assertThrows<E extends Error>(
  work: () => unknown,
  // deno-lint-ignore no-explicit-any
  expected: new (...args: any[]) => E,
  includes?: string,
): E;
export function assertRejects<E extends Error>(
  work: () => PromiseLike<unknown>,
  // deno-lint-ignore no-explicit-any
  expected: new (...args: any[]) => E,
  includes?: string,
): Promise<E>;
