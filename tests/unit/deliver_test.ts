import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { SystemError } from "../../ffi/errno.ts";
import { FD_KINDS } from "../../ffi/symbols.ts";
import { deliver, requireChannel } from "../../proxy/deliver.ts";
import { dial } from "../../proxy/dial.ts";
import { Deadline } from "../../proxy/patience.ts";
import { assertFailsLater, millisecondsOf, type StandInCalls, standInLibrary } from "./support.ts";

/** A library in which fd 1 is of the kind with this number. */
function withChannel(kind: number) {
  const asked: number[] = [];
  const { library } = standInLibrary({
    fd_kind: (descriptor) => {
      asked.push(new Int32Array((descriptor as Uint8Array<ArrayBuffer>).buffer)[0]!);
      return kind;
    },
  });
  return { library, asked };
}

Deno.test("an AF_UNIX socket as fd 1 can take a connection", async () => {
  const { library, asked } = withChannel(FD_KINDS.indexOf("unix socket"));
  await requireChannel(library);
  assertEquals(asked, [1]);
});

Deno.test("any other fd 1 is refused before a connection is made, and called what it is", async () => {
  const names: Record<Exclude<typeof FD_KINDS[number], "unix socket">, string> = {
    "something else": "it is not a socket,",
    "other socket": "it is no AF_UNIX socket,",
    "pipe": "it is a pipe,",
    "terminal": "it is a terminal,",
    "regular file": "it is a file,",
    "null device": "it is closed, or /dev/null,",
  };
  for (const [kind, name] of Object.entries(names)) {
    const { library } = withChannel((FD_KINDS as readonly string[]).indexOf(kind));
    const error = await assertFailsLater("handover", () => requireChannel(library), `fd 1: ${name}`);
    assertEquals(error.exitCode, 74);
  }
  await assertFailsLater("handover", () => requireChannel(withChannel(99).library), "it is not a socket");
});

Deno.test("a closed fd 1 is refused", async () => {
  await assertFailsLater("handover", () => requireChannel(withChannel(-9).library), "it is closed, or /dev/null");
});

/** Delivers fd 42 with a library whose `send_fd` is this one. */
async function deliverWith(send_fd: NonNullable<StandInCalls["send_fd"]>): Promise<void> {
  const { library } = standInLibrary({ connect_unix: () => 42, send_fd });
  const deadline = new Deadline(5000);
  const socket = await dial({ kind: "unix", path: "/s" }, library, deadline);
  await deliver(socket, deadline);
}

Deno.test("the connection is passed over fd 1, once, within what is left of the time", async () => {
  const passed: number[][] = [];
  await deliverWith((channel, fd, time) => {
    const milliseconds = millisecondsOf(time as BufferSource);
    passed.push([channel, fd, Number(milliseconds > 0 && milliseconds <= 5000)]);
    return 0;
  });
  assertEquals(passed, [[1, 42, 1]]);
});

Deno.test("a connection that nobody took is a failure of the handover", async () => {
  const error = await assertFailsLater("handover", () => deliverWith(() => -32), "ssh is gone");
  assertInstanceOf(error.cause, SystemError);
  await assertFailsLater("handover", () => deliverWith(() => -110), "timed out (ETIMEDOUT)");
});

Deno.test("a defect while passing is passed on as it is", async () => {
  await assertRejects(() =>
    deliverWith(() => {
      throw new RangeError("a defect");
    }), RangeError);
});
