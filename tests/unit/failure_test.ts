import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { constants } from "node:os";
import { connectError } from "../../addresses/failure.ts";
import type { MachineTarget } from "../../addresses/machine.ts";
import {
  containerError,
  machineError,
  unknownMachineError,
  unreachableMachineError,
} from "../../addresses/machine_errors.ts";
import { machinedError, malformedReplyError, varlinkError } from "../../addresses/machined_errors.ts";
import {
  closedByMultiplexerError,
  handshakeError,
  multiplexerError,
  protocolError,
  sshServerError,
} from "../../addresses/multiplexer_errors.ts";
import type { Obstacle } from "../../addresses/obstacle.ts";
import { resolvedError } from "../../addresses/resolve.ts";
import type { UnixTarget } from "../../addresses/unix.ts";
import type { VsockTarget } from "../../addresses/vsock.ts";
import type { VsockMuxTarget } from "../../addresses/vsock_mux.ts";
import { Deadline } from "../../core/deadline.ts";
import { type ErrorKind, ProxyError } from "../../core/errors.ts";
import { type ErrorName, SystemError } from "../../ffi/errno.ts";
import { bannerTimeoutError, closedBeforeBannerError } from "../../proxy/banner_errors.ts";
import { handoverError, unusableFdError } from "../../proxy/handover_errors.ts";
import { isRetryable } from "../../proxy/wait.ts";
import { assertOneLine, bytes } from "./support.ts";

const UNIX: UnixTarget = { kind: "unix", path: "/run/s" };
const VSOCK: VsockTarget = { kind: "vsock", cid: 3, port: 22 };
const MUX: VsockMuxTarget = { kind: "vsock-mux", path: "/run/vm", port: 22 };
const DEADLINE = new Deadline(2500);

/** This system's number of an error, from somebody else's table. */
function number(name: string): number {
  const number = (constants.errno as unknown as Record<string, number>)[name];
  assert(number !== undefined, name);
  return number;
}

function failure(name: string): SystemError {
  return new SystemError("some_call", -number(name));
}

/** All errors that the table names. */
const NAMES: ErrorName[] = [
  ...["EPERM", "ENOENT", "EINTR", "EIO", "EBADF", "EAGAIN", "ENOMEM", "EACCES", "EFAULT", "ENODEV", "ENOTDIR"] as const,
  ...[
    "EINVAL",
    "ENFILE",
    "EMFILE",
    "EPIPE",
    "ENAMETOOLONG",
    "ELOOP",
    "ENOTSOCK",
    "EPROTOTYPE",
    "EAFNOSUPPORT",
  ] as const,
  ...["EADDRNOTAVAIL", "ENETUNREACH", "ECONNRESET", "ENOBUFS", "ENOTCONN", "ETIMEDOUT", "ECONNREFUSED"] as const,
  "EHOSTUNREACH",
];

Deno.test("an error number has the name that the system gives it", () => {
  for (const name of NAMES) {
    const error = failure(name);
    assertEquals(error.code, name);
    assertMatch(error.message, new RegExp(`^[a-z/ ]+ \\(${name}\\)$`));
    assertEquals(error.name, "SystemError");
  }
});

Deno.test("an error number that nobody expects is named by its number and the call that gave it", () => {
  const error = new SystemError("connect_unix", -4000);
  assertEquals([error.code, error.message], [undefined, "error 4000 of connect_unix"]);
});

function check(error: ProxyError, kind: ErrorKind, name: string, why: string): void {
  assertEquals(error.kind, kind, error.message);
  assertStringIncludes(error.message, `${name}: `);
  assertStringIncludes(error.message.slice(name.length), why);
  assertOneLine(error);
}

Deno.test("each error of connecting is of the kind that its exit code promises, for each kind of target", () => {
  type Meaning = [kind: ErrorKind, why: string];
  const meanings: Partial<Record<ErrorName, { unix?: Meaning; vsock?: Meaning }>> = {
    ENOENT: { unix: ["missing", "does not exist"], vsock: ["resource", "(ENOENT)"] },
    ENOTDIR: { unix: ["missing", "does not exist: a part of its path is not a directory"] },
    ELOOP: { unix: ["missing", "the path leads through too many symbolic links"] },
    EACCES: { unix: ["permission", "permission denied"], vsock: ["permission", "permission denied"] },
    EPERM: { unix: ["permission", "permission denied"], vsock: ["permission", "permission denied"] },
    ECONNREFUSED: { unix: ["unreachable", "nothing listens there"], vsock: ["unreachable", "connection refused"] },
    EPROTOTYPE: { unix: ["unreachable", "is a socket of another type"] },
    ECONNRESET: { unix: ["unreachable", "was reset"], vsock: ["unreachable", "nothing listens on that port"] },
    EPIPE: { unix: ["unreachable", "was reset"], vsock: ["unreachable", "nothing listens on that port"] },
    ENODEV: { unix: ["resource", "(ENODEV)"], vsock: ["unreachable", "no such CID: no such device (ENODEV)"] },
    EADDRNOTAVAIL: { vsock: ["unreachable", "no such CID"] },
    ENETUNREACH: { vsock: ["unreachable", "no such CID"] },
    EHOSTUNREACH: { vsock: ["unreachable", "the guest has not booted yet: its vsock driver does not run"] },
    EAFNOSUPPORT: { vsock: ["resource", ""] },
    ETIMEDOUT: { unix: ["timeout", "within 2.5 s"], vsock: ["timeout", "no answer within 2.5 s"] },
    ENAMETOOLONG: { unix: ["usage", "the path is too long"] },
    EMFILE: { unix: ["resource", "too many open files (EMFILE)"], vsock: ["resource", "too many open files (EMFILE)"] },
    ENFILE: { unix: ["resource", "(ENFILE)"], vsock: ["resource", "(ENFILE)"] },
    ENOMEM: { unix: ["resource", "(ENOMEM)"], vsock: ["resource", "(ENOMEM)"] },
    ENOBUFS: { unix: ["resource", "(ENOBUFS)"], vsock: ["resource", "(ENOBUFS)"] },
  };
  for (const [name, { unix, vsock }] of Object.entries(meanings)) {
    const cause = failure(name);
    if (unix !== undefined) {
      check(connectError(UNIX, cause, DEADLINE), unix[0], "unix/run/s", unix[1]);
      check(connectError(MUX, cause, DEADLINE), unix[0], "vsock-mux/run/vm port 22", unix[1]);
    }
    if (vsock !== undefined) check(connectError(VSOCK, cause, DEADLINE), vsock[0], "vsock/3 port 22", vsock[1]);
    assert(connectError(UNIX, cause, DEADLINE).cause === cause);
  }
});

Deno.test("whatever goes wrong, the message is one line that names the target, and so is the hint", () => {
  const steering = "/run/\x1b[2J\nx\u202e";
  const shown = "run/\\x1b[2J\\x0ax\\u{202e}";
  const targets = [
    [{ ...UNIX, path: steering }, `unix/${shown}`],
    [{ ...MUX, path: steering }, `vsock-mux/${shown} port 22`],
    [VSOCK, "vsock/3 port 22"],
  ] as const;
  const errors = [...NAMES.map(failure), new SystemError("some_call", -4000)];
  for (const [target, name] of targets) {
    for (const cause of errors) {
      check(connectError(target, cause, DEADLINE), connectError(target, cause, DEADLINE).kind, name, "");
      if (target.kind === "vsock-mux") {
        check(handshakeError(target, cause, DEADLINE), handshakeError(target, cause, DEADLINE).kind, name, "");
      }
    }
  }
});

Deno.test("a socket that is no stream socket is called what it is", () => {
  for (const is of ["datagram socket", "seqpacket socket"] as const) {
    const error = connectError(UNIX, failure("EPROTOTYPE"), DEADLINE, { is, path: UNIX.path });
    check(error, "unreachable", "unix/run/s", `it is a ${is}`);
  }
});

Deno.test("a directory and a file are no sockets, and the hint says what to do about each", () => {
  const found = (target: UnixTarget | VsockMuxTarget, is: Obstacle["is"]) =>
    connectError(target, failure("EACCES"), DEADLINE, { is, path: target.path });
  const directory = found(UNIX, "directory");
  check(directory, "unreachable", "unix/run/s", "it is a directory, not a socket");
  assertStringIncludes(directory.hint!, "deno-ssh-proxy config --install --alias NAME=unix/PATH");
  assertStringIncludes(found(MUX, "directory").hint!, "--alias NAME=vsock-mux/PATH");
  check(found(UNIX, "regular file"), "unreachable", "unix/run/s", "it is a regular file, not a socket");
  check(found(MUX, "not a socket"), "unreachable", "vsock-mux/run/vm port 22", "it is not a socket");
  for (const is of ["directory", "regular file", "not a socket"] as const) {
    assertEquals(found(UNIX, is).hint!.includes("write permission"), false);
  }
  const part = { is: "not a directory", path: "/run" } as const;
  const missing = connectError(UNIX, failure("ENOTDIR"), DEADLINE, part);
  check(missing, "missing", "unix/run/s", "the socket does not exist: /run is not a directory");
  // The steering characters of a path, in whichever place it is shown.
  for (const is of ["directory", "regular file", "not a socket", "not a directory", "datagram socket"] as const) {
    assertOneLine(
      connectError({ ...UNIX, path: "/\x1b[2J\n" }, failure("EACCES"), DEADLINE, { is, path: "/\x1b[2J\n" }),
    );
  }
});

Deno.test("a guest whose driver does not run yet is booting, and the hint says how to wait for it", () => {
  const error = connectError({ ...VSOCK, port: 2222 }, failure("EHOSTUNREACH"), DEADLINE);
  assertStringIncludes(error.hint!, "deno-ssh-proxy wait vsock/3 2222 waits for it");
  assertStringIncludes(error.hint!, "--wait");
  assertEquals(isRetryable(error), true);
  // This machine, and the host of a guest, do not boot.
  for (const cid of [0, 1, 2]) {
    const other = connectError({ ...VSOCK, cid }, failure("EHOSTUNREACH"), DEADLINE);
    assertStringIncludes(other.message, "no such CID");
  }
});

Deno.test("a server that hangs up before its banner may have no host keys, too", () => {
  const { hint = "" } = closedBeforeBannerError(VSOCK);
  for (const says of ["still starting", "ssh-keygen -A", "MaxStartups"]) assertStringIncludes(hint, says);
});

Deno.test("the hint for a path that is not there says who makes it", () => {
  const hint = (target: UnixTarget | VsockMuxTarget) => connectError(target, failure("ENOENT"), DEADLINE).hint ?? "";
  assertEquals(hint(UNIX), "is the server running? Is the path right? ls -l /run shows what is there");
  assertEquals(
    hint({ kind: "unix", path: "/s" }),
    "is the server running? Is the path right? ls -l / shows what is there",
  );
  assertStringIncludes(hint(MUX), "is the virtual machine running?");
  assertStringIncludes(hint({ kind: "unix", path: "/run/ssh-unix-local/socket" }), "systemd 256");
});

Deno.test("a message has the path once: in the address that it begins with", () => {
  const target = { kind: "unix", path: "/run/only-once" } as const;
  const obstacles = ["directory", "regular file", "not a socket", "datagram socket", "socket of a near name"] as const;
  const errors = [
    ...NAMES.map((name) => connectError(target, failure(name), DEADLINE)),
    ...obstacles.map((is) => connectError(target, failure("EACCES"), DEADLINE, { is, path: target.path })),
  ];
  for (const { message } of errors) assertEquals(message.split("only-once").length, 2, message);
});

Deno.test("each of unix/ and vsock-mux/ before what is the other's has the other in its hint", () => {
  const errors: [error: ProxyError, kind: ErrorKind, hint: string][] = [
    [multiplexerError(UNIX, "OK 1"), "protocol", "use vsock-mux/run/s"],
    [
      bannerTimeoutError(UNIX, DEADLINE),
      "timeout",
      "is it an sshd that listens there? For a multiplexer, write vsock-mux/run/s",
    ],
    [bannerTimeoutError(VSOCK, DEADLINE), "timeout", "is it an sshd that listens there?"],
    [sshServerError(MUX), "protocol", "use unix/run/vm"],
    [
      protocolError(MUX, bytes("HTTP/1.1"), false),
      "protocol",
      "is that the socket of a hybrid-vsock multiplexer? For an sshd, write unix/run/vm",
    ],
  ];
  for (const [error, kind, hint] of errors) {
    assertEquals([error.kind, error.hint], [kind, hint]);
    assertOneLine(error);
  }
});

Deno.test("a hint about a guest names the port that was asked for", () => {
  for (const name of ["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT"]) {
    const error = connectError({ ...VSOCK, port: 2222 }, failure(name), DEADLINE);
    assertStringIncludes(error.hint ?? "", "vsock port 2222?");
  }
  assertStringIncludes(closedByMultiplexerError({ ...MUX, port: 2222 }).hint ?? "", "vsock port 2222?");
});

Deno.test("a hint about CID 1 or 2 says which machine that is", () => {
  for (
    const [cid, says] of [[1, "this machine: is the kernel module vsock_loopback loaded"], [
      2,
      "is the host of",
    ]] as const
  ) {
    for (const name of ["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "ENODEV"]) {
      const { hint = "" } = connectError({ kind: "vsock", cid, port: 2222 }, failure(name), DEADLINE);
      assertStringIncludes(hint, `CID ${cid} is`);
      assertStringIncludes(hint, says);
      assertStringIncludes(hint, "vsock port 2222?");
    }
  }
});

Deno.test("each error of the handshake is of the kind that its exit code promises", () => {
  const meanings: [name: string, kind: ErrorKind, why: string][] = [
    ["ECONNRESET", "unreachable", "nothing listens on that port in the guest"],
    ["EPIPE", "unreachable", "nothing listens on that port in the guest"],
    ["ETIMEDOUT", "timeout", "did not answer within 2.5 s"],
    ["ENOBUFS", "resource", "no buffer space available (ENOBUFS)"],
    ["EBADF", "resource", "bad file descriptor (EBADF)"],
  ];
  for (const [name, kind, why] of meanings) {
    const cause = failure(name);
    const error = handshakeError(MUX, cause, DEADLINE);
    check(error, kind, "vsock-mux/run/vm port 22", why);
    assert(error.cause === cause);
  }
});

Deno.test("a multiplexer that ended the connection has nothing behind the port", () => {
  check(
    closedByMultiplexerError(MUX),
    "unreachable",
    "vsock-mux/run/vm port 22",
    "nothing listens on that port in the guest",
  );
});

Deno.test("an answer that is none is shown, fit for a terminal", () => {
  const examples: [answer: string, ended: boolean, why: string][] = [
    ["HTTP/1.1", false, '"HTTP/1.1", not an OK line'],
    ["OK 1", true, '"OK 1", and then the end, not an OK line'],
    ["\x1b[2J\0\xff\n", false, '"\\x1b[2J\\x00ÿ\\x0a", not an OK line'],
  ];
  for (const [answer, ended, why] of examples) {
    const error = protocolError(MUX, bytes(answer), ended);
    check(error, "protocol", "vsock-mux/run/vm port 22", why);
    assertStringIncludes(error.hint ?? "", "write unix/run/vm");
  }
});

Deno.test("a connection that cannot be handed over is a failure of the handover", () => {
  check(unusableFdError(1, "a pipe"), "handover", "fd 1", "it is a pipe, which cannot take a connection");
  assertStringIncludes(unusableFdError(1, "a pipe").hint ?? "", "ProxyCommand");
  for (
    const [name, why] of [["EPIPE", "ssh is gone"], ["ECONNRESET", "ssh is gone"], ["EPERM", "(EPERM)"]] as const
  ) {
    const cause = failure(name);
    check(handoverError(1, cause), "handover", "fd 1", why);
    assert(handoverError(1, cause).cause === cause);
  }
});

Deno.test("a connection that the system has no resource to hand over is a failure of the system", () => {
  for (const name of ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "ETOOMANYREFS"] as const) {
    check(handoverError(1, SystemError.named(name)), "resource", "fd 1", `(${name})`);
  }
  assertStringIncludes(handoverError(1, SystemError.named("ETOOMANYREFS")).hint ?? "", "ulimit -n");
});

const MACHINE: MachineTarget = { kind: "machine", name: "foo", port: 22 };
const MACHINED = "/run/systemd/machine/io.systemd.Machine";

Deno.test("each error of systemd-machined's socket is of the kind that tells whether it runs, is busy or is not for this user", () => {
  const meanings: Partial<Record<ErrorName, [kind: ErrorKind, why: string]>> = {
    ENOENT: ["missing", "systemd-machined does not run"],
    ENOTDIR: ["missing", "systemd-machined does not run"],
    ECONNREFUSED: ["missing", "systemd-machined does not run"],
    ETIMEDOUT: ["timeout", "no answer within 2.5 s"],
    EACCES: ["permission", "permission denied"],
    EPERM: ["permission", "permission denied"],
    ECONNRESET: ["unreachable", "was reset"],
    EPIPE: ["unreachable", "was reset"],
    EMFILE: ["resource", "too many open files (EMFILE)"],
    ENOBUFS: ["resource", "(ENOBUFS)"],
  };
  for (const [name, [kind, why]] of Object.entries(meanings)) {
    const cause = failure(name);
    check(machinedError(MACHINED, cause, DEADLINE), kind, MACHINED, why);
    assert(machinedError(MACHINED, cause, DEADLINE).cause === cause);
  }
  for (const name of NAMES) assertOneLine(machinedError("/\x1b", failure(name), DEADLINE));
});

Deno.test("an error on the way to a machine keeps its kind, its hint and its cause, and begins with the machine", () => {
  const cause = failure("EACCES");
  const asking = machinedError(MACHINED, cause, DEADLINE);
  const there = connectError(VSOCK, failure("ECONNRESET"), DEADLINE);
  const examples = [
    [machineError(MACHINE, asking), asking, `machine/foo: ${MACHINED}: permission denied`],
    [
      resolvedError({ kind: "machine", name: "foo", port: 22 }, there),
      there,
      "machine/foo is vsock/3 port 22: nothing listens on that port",
    ],
  ] as const;
  for (const [error, original, message] of examples) {
    assertEquals(error.message, message);
    assertEquals([error.kind, error.hint], [original.kind, original.hint]);
    assert(error.cause === original.cause);
    assertOneLine(error);
  }
});

Deno.test("the name of a machine that is too long to be shown whole is cut, and what follows it is not", () => {
  const name = "a".repeat(300);
  const closed = new ProxyError("permission", "it is closed");
  assertMatch(machineError({ name }, closed).message, /^machine\/a{50,}\.\.\.: it is closed$/);
  assertMatch(resolvedError({ ...MACHINE, name }, closed).message, /^machine\/a{50,}\.\.\. is it is closed$/);
});

Deno.test("whatever systemd-machined says, and whatever the name of a machine is, the message is one line", () => {
  const steering = "\x1b[2J\nx\u202e".repeat(100);
  const target: MachineTarget = { ...MACHINE, name: steering };
  const machine = { name: steering, class: steering, service: steering, vSockCid: undefined, sshAddress: steering };
  const errors = [
    malformedReplyError(steering, steering),
    malformedReplyError(steering, undefined),
    varlinkError(steering, steering),
    machineError(target, varlinkError("/run", "x")),
    unknownMachineError(target, true),
    unknownMachineError(target, false),
    containerError(target, steering),
    unreachableMachineError({ ...machine, name: target.name }),
    unreachableMachineError({ ...machine, name: target.name, sshAddress: undefined }),
    unreachableMachineError({ ...machine, name: target.name, class: "host" }),
  ];
  for (const error of errors) {
    assertOneLine(error);
    assert(error.message.length < 2000, error.message);
  }
});
