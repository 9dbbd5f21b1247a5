import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/errno.ts";
import { fdKind, isDatagramSocket, type ReceiveOptions, Socket } from "../../ffi/socket.ts";
import { bytes, latin1, millisecondsOf, type StandInCalls, standInLibrary } from "./support.ts";

/** A socket whose fd is 42, of a library with these calls. */
async function socketWith(calls: StandInCalls) {
  const { library, closed } = standInLibrary({ connect_unix: () => 42, ...calls });
  return { socket: await Socket.connectUnix(library, "/s", {}), closed };
}

Deno.test("a path is given to the library in UTF-8, with its length in bytes", async () => {
  const paths: [string, bigint][] = [];
  const { library } = standInLibrary({
    connect_unix: (path, length) => {
      paths.push([new TextDecoder().decode(path as Uint8Array), BigInt(length)]);
      return 42;
    },
  });
  await Socket.connectUnix(library, "/é😀", {});
  assertEquals(paths, [["/é😀", 7n]]);
});

Deno.test("a wait is a whole number of milliseconds that the library can hold, and ten seconds by default", async () => {
  const given: number[] = [];
  const { socket } = await socketWith({
    dsp_receive_bytes: (_fd, _into, _length, _flags, time) => {
      given.push(millisecondsOf(time as BufferSource));
      return 0;
    },
  });
  const into = new Uint8Array(1);
  for (const timeout of [1, 1.2, 0.001, 2 ** 32 - 1.5, 2 ** 32 - 1]) {
    await socket.receive(into, { timeout });
  }
  await socket.receive(into);
  await socket.receive(into, {});
  assertEquals(given, [1, 2, 1, 4294967295, 4294967295, 10_000, 10_000]);
});

Deno.test("each way of receiving has its flags", async () => {
  const given: [number, number, number][] = [];
  const { socket } = await socketWith({
    dsp_receive_bytes: (fd, _into, length, flags) => {
      given.push([fd, Number(length), flags]);
      return 3;
    },
  });
  const options: ReceiveOptions[] = [{}, { peek: "some" }, { peek: "whole" }];
  for (const option of options) assertEquals(await socket.receive(new Uint8Array(7), option), 3);
  assertEquals(given, [[42, 7, 0], [42, 7, 1], [42, 7, 3]]);
});

Deno.test("all bytes are sent in one call", async () => {
  const sent: [number, string, number][] = [];
  const { socket } = await socketWith({
    dsp_send_bytes: (fd, bytes, length) => {
      sent.push([fd, latin1(bytes as Uint8Array), Number(length)]);
      return Number(length);
    },
  });
  await socket.send(bytes("CONNECT 22\n"));
  assertEquals(sent, [[42, "CONNECT 22\n", 11]]);
});

Deno.test("a socket is passed with its own descriptor, over the channel's", async () => {
  const passed: [number, number][] = [];
  const { socket } = await socketWith({
    send_fd: (channel, fd) => {
      passed.push([channel, fd]);
      return 0;
    },
  });
  await socket.passTo(7);
  assertEquals(passed, [[7, 42]]);
});

Deno.test("a descriptor is closed once: the number may be somebody else's by the second time", async () => {
  const { socket, closed } = await socketWith({});
  socket.close();
  socket.close();
  socket[Symbol.dispose]();
  assertEquals(closed, [42]);
  const scoped = await socketWith({});
  {
    using _socket = scoped.socket;
  }
  assertEquals(scoped.closed, [42]);
});

Deno.test("an error number becomes an error with its name, from every call", async () => {
  // The one error number that is what a failed system call itself returns.
  const EPERM = -1;
  const failing = () => EPERM;
  const { socket } = await socketWith({ dsp_send_bytes: failing, dsp_receive_bytes: failing, send_fd: failing });
  const { library } = standInLibrary({
    connect_unix: failing,
    connect_vsock: failing,
    dsp_fd_kind: failing,
    dsp_is_datagram_socket: failing,
  });
  const calls = [
    () => socket.send(bytes("x")),
    () => socket.receive(new Uint8Array(1)),
    () => socket.passTo(1),
    () => Socket.connectUnix(library, "/s", {}),
    () => Socket.connectVsock(library, 3, 22, {}),
    () => fdKind(library, 1),
  ];
  for (const call of calls) assertEquals((await assertRejects(call, SystemError)).code, "EPERM");
  assertEquals(assertThrows(() => isDatagramSocket(library, "/s"), SystemError).code, "EPERM");
});

Deno.test("an error number that has no name is told with the call that gave it", async () => {
  const { socket } = await socketWith({
    dsp_send_bytes: () => -4001,
    dsp_receive_bytes: () => -4002,
    send_fd: () => -4003,
  });
  await assertRejects(() => socket.send(bytes("x")), SystemError, "error 4001 of send_bytes");
  await assertRejects(() => socket.receive(new Uint8Array(1)), SystemError, "error 4002 of receive_bytes");
  await assertRejects(() => socket.passTo(1), SystemError, "error 4003 of send_fd");
});

Deno.test("a library that answers at once and one that answers later are the same to a socket", async () => {
  const { socket } = await socketWith({
    dsp_receive_bytes: () => Promise.resolve(5),
    dsp_send_bytes: () => Promise.resolve(-32),
  });
  assertEquals(await socket.receive(new Uint8Array(9)), 5);
  assertInstanceOf(await socket.send(bytes("x")).catch((thrown) => thrown), SystemError);
});

Deno.test("a kind of descriptor that this program does not know is something else", async () => {
  const kindOf = (kind: number) => fdKind(standInLibrary({ dsp_fd_kind: () => kind }).library, 1);
  assertEquals([await kindOf(1), await kindOf(6), await kindOf(7)], ["unix socket", "null device", "something else"]);
});

Deno.test("a type of socket is asked for by its path, and one is datagrams", () => {
  const answers = (answer: number) =>
    isDatagramSocket(standInLibrary({ dsp_is_datagram_socket: () => answer }).library, "/s");
  assertEquals([answers(1), answers(0)], [true, false]);
});
