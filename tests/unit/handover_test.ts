import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { connectTarget } from "../../addresses/connect.ts";
import { Deadline } from "../../core/deadline.ts";
import { SystemError } from "../../ffi/errno.ts";
import { FD_KINDS } from "../../ffi/symbols.ts";
import { chooseHandoverMode, handOver } from "../../proxy/handover.ts";
import { assertFailsLater, millisecondsOf, type StandInCalls, standInLibrary } from "./support.ts";

/** A library in which fd 1 is of the kind with this number. */
function withChannel(kind: number) {
  const asked: number[] = [];
  const { library } = standInLibrary({
    dsp_fd_kind: (descriptor) => {
      asked.push(new Int32Array((descriptor as Uint8Array<ArrayBuffer>).buffer)[0]!);
      return kind;
    },
  });
  return { library, asked };
}

Deno.test("an AF_UNIX socket as fd 1 takes a connection, and bytes where they are asked for", async () => {
  const { library, asked } = withChannel(FD_KINDS.indexOf("unix socket"));
  assertEquals([await chooseHandoverMode(library, false), await chooseHandoverMode(library, true)], ["pass", "relay"]);
  assertEquals(asked, [1, 1]);
});

Deno.test("what takes bytes only gets them, asked for or not", async () => {
  for (const kind of ["other socket", "pipe", "terminal", "regular file"] as const) {
    const { library } = withChannel(FD_KINDS.indexOf(kind));
    assertEquals([await chooseHandoverMode(library, false), await chooseHandoverMode(library, true)], [
      "relay",
      "relay",
    ], kind);
  }
});

Deno.test("an fd 1 that takes neither is refused before a connection is made, and called what it is", async () => {
  for (const relayed of [false, true]) {
    for (
      const [kind, name] of [
        [FD_KINDS.indexOf("something else"), "it is neither a socket, a pipe, a terminal nor a file,"],
        [99, "it is neither a socket, a pipe, a terminal nor a file,"],
        [FD_KINDS.indexOf("null device"), "it is closed, or /dev/null,"],
        [-9, "it is closed, or /dev/null,"],
        [-1, "the connection could not be passed on: operation not permitted (EPERM)"],
      ] as const
    ) {
      const { library } = withChannel(kind);
      const error = await assertFailsLater("handover", () => chooseHandoverMode(library, relayed), `fd 1: ${name}`);
      assertEquals(error.exitCode, 74);
    }
  }
});

/** Delivers fd 42 with a library whose `send_fd` is this one. */
async function deliverWith(send_fd: NonNullable<StandInCalls["send_fd"]>): Promise<void> {
  const { library } = standInLibrary({ connect_unix: () => 42, send_fd });
  const deadline = new Deadline(5000);
  const socket = await connectTarget({ kind: "unix", path: "/s" }, { library, deadline });
  await handOver(socket, "pass", { library, deadline });
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

Deno.test("a relay has fd 0, fd 1 and the connection, no deadline, and nothing else that was inherited", async () => {
  const relayed: number[][] = [];
  const { library } = standInLibrary({
    connect_unix: () => 42,
    dsp_close_inherited: (first) => {
      relayed.push([new Int32Array((first as Uint8Array<ArrayBuffer>).buffer)[0]!]);
      return 0;
    },
    dsp_relay: (from, to, socket) => {
      relayed.push([from, to, new Int32Array((socket as Uint8Array<ArrayBuffer>).buffer)[0]!]);
      return relayed.length === 2 ? 0 : -28;
    },
  });
  const deadline = new Deadline(5000);
  using socket = await connectTarget({ kind: "unix", path: "/s" }, { library, deadline });
  await handOver(socket, "relay", { library, deadline });
  assertEquals(relayed, [[3], [0, 1, 42]]);
  await assertFailsLater(
    "handover",
    () => handOver(socket, "relay", { library, deadline }),
    "the relay broke: no space left on device (ENOSPC)",
  );
});

Deno.test("a defect while passing is passed on as it is", async () => {
  await assertRejects(() =>
    deliverWith(() => {
      throw new RangeError("a defect");
    }), RangeError);
});
