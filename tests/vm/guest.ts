/**
 * Virtual machines that really boot: QEMU with a virtio-vsock device that the real multiplexer, vhost-device-vsock, serves.
 * Nothing here touches AF_VSOCK: on this side there are AF_UNIX sockets only.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import { Tied } from "../../tools/tied.ts";
import { connectWhenThere, inTime } from "../../tools/waiting.ts";
import { assertPassed, type Outcome, runAsSsh } from "../support/as_ssh.ts";
import { latin1 } from "../support/sockets.ts";

/** What image.sh made. */
export const IMAGES = outputOf(`${CHECKOUT}/tests/vm/image.sh`).trim();

/** In MiB. */
const MEMORY = 1024;

/** How long a guest may take to boot, in milliseconds. It was seen to take 6 s and, with systemd, 30 s. */
const BOOT_LIMIT = 150_000;

/** The real multiplexer, for one guest after another. */
export class Multiplexer implements AsyncDisposable {
  readonly #folder = new Folder();
  readonly #process: Tied;

  private constructor(cid: number) {
    this.#process = new Tied([
      ...[`${IMAGES}/vhost-device-vsock`, "--vm"],
      `guest-cid=${cid},socket=${this.device},uds-path=${this.socket}`,
    ], this.#folder.at("log"));
  }

  static async start(cid: number): Promise<Multiplexer> {
    const multiplexer = new Multiplexer(cid);
    try {
      for (const path of [multiplexer.device, multiplexer.socket]) {
        await multiplexer.#process.needed(appearance(path));
      }
      return multiplexer;
    } catch (thrown) {
      await multiplexer[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Where QEMU meets it. */
  get device(): string {
    return this.#folder.at("device.sock");
  }

  /** Where clients meet it. */
  get socket(): string {
    return this.#folder.at("vm.sock");
  }

  /** What is typed to reach the guest. */
  get address(): string {
    return `vsock-mux${this.socket}`;
  }

  /** The option of `config` that makes `name` the guest. */
  alias(name: string): string {
    return `--alias=${name}=${this.address}`;
  }

  /** Where it takes a guest's connections to `port` of the host. */
  hostSocket(port: number): string {
    return `${this.socket}_${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

/** A release of Debian. */
export type Suite = "bookworm" | "trixie";

/** What a guest is booted from. */
export interface Boot {
  /** The disk with its system. */
  system: Suite;
  /** The release that its kernel is of: both have the modules of Debian 12's. */
  kernel: Suite;
  /** What the kernel starts. */
  init: "systemd" | "tests-init";
  /** Its second disk. */
  disk: string;
  /** More for QEMU. */
  options?: string[];
}

/** A guest that boots or has booted. What it writes to its disk is gone with it. */
export class Guest implements AsyncDisposable {
  readonly #folder: Folder;
  readonly #qemu: Tied;
  readonly #console: Deno.UnixConn;
  readonly #listening: Promise<void>;
  #said = "";
  #more = Promise.withResolvers<void>();

  private constructor(folder: Folder, qemu: Tied, console: Deno.UnixConn) {
    this.#folder = folder;
    this.#qemu = qemu;
    this.#console = console;
    // All the time: a guest whose console nobody reads stops when it has written much.
    this.#listening = this.#listen().catch(() => {});
  }

  /** To its end, which is that of QEMU, however that comes. */
  async #listen(): Promise<void> {
    for await (const text of this.#console.readable.pipeThrough(new TextDecoderStream())) this.#heard(text);
  }

  #heard(text: string): void {
    this.#said += text;
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  static async boot(multiplexer: Multiplexer, { system, kernel, init, disk, options = [] }: Boot): Promise<Guest> {
    const folder = new Folder();
    const program = init === "systemd" ? "/usr/lib/systemd/systemd" : `/usr/sbin/${init}`;
    const qemu = new Tied([
      ...await machine(),
      ...["-kernel", `${IMAGES}/${kernel}.vmlinuz`],
      ...["-append", `console=ttyS0 quiet panic=-1 root=/dev/nvme0n1 rw init=${program}`],
      // The kernels can read an NVMe disk with no initramfs. The second disk is of another kind: which of two NVMe disks
      // is the first is a matter of chance.
      ...["-drive", `file=${IMAGES.replaceAll(",", ",,")}/${system}.ext4,if=none,id=system,format=raw,snapshot=on`],
      ...["-device", "nvme,serial=system,drive=system"],
      ...["-drive", `file=${disk},if=none,id=second,format=raw,readonly=on`],
      ...["-device", "virtio-blk-pci,drive=second"],
      ...["-chardev", `socket,id=console,path=${folder.at("console")},server=on,wait=off`],
      ...["-serial", "chardev:console"],
      ...["-chardev", `socket,id=vsock,path=${multiplexer.device}`],
      ...["-device", "vhost-user-vsock-pci,chardev=vsock"],
      ...options,
    ], folder.at("log"));
    try {
      return new Guest(folder, qemu, await qemu.needed(connectWhenThere(folder.at("console"))));
    } catch (thrown) {
      await qemu[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
      throw thrown;
    }
  }

  /** Until its console has shown `words` after the first `from` characters. Gives all that it showed. */
  async shows(words: string, from = 0): Promise<string> {
    const shown = async () => {
      while (!this.#said.includes(words, from)) await this.#more.promise;
    };
    const gone = this.#listening.then(() => {
      throw new Error("the guest is gone");
    });
    try {
      await inTime(Promise.race([shown(), gone]), BOOT_LIMIT);
    } catch (cause) {
      throw new Error(`the console did not show "${words}", but:\n${this.#said.slice(-4000)}`, { cause });
    }
    return this.#said;
  }

  /** Types `text` at its console. */
  async type(text: string): Promise<void> {
    await new Blob([text]).stream().pipeTo(this.#console.writable, { preventClose: true });
  }

  /** Settles when it has switched itself off. */
  get off(): Promise<unknown> {
    return this.#qemu.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#qemu[Symbol.asyncDispose]();
    await this.#listening;
    this.#folder[Symbol.dispose]();
  }
}

/**
 * Tries as `ssh` would until the sshd of the guest behind a multiplexer answers. Gives what came of the tries before, which hand
 * nothing over.
 */
export async function sshdAnswers(shim: string, { address }: Multiplexer): Promise<Outcome[]> {
  const late = Date.now() + BOOT_LIMIT;
  const failed: Outcome[] = [];
  for (;;) {
    const outcome = await runAsSsh([shim, address, "22"], { timeout: BOOT_LIMIT });
    if (outcome.code === 0) {
      using connection = assertPassed(outcome);
      assertEquals(latin1(await inTime(connection.read(8), BOOT_LIMIT)), "SSH-2.0-");
      return failed;
    }
    assert(Date.now() < late, `the guest does not boot: ${outcome.stderr}`);
    failed.push(outcome);
    // Nothing tells when it is up. Trying without a pause takes the processor from it.
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** The machine that every guest has, as QEMU's command line, with the processor that works here. */
async function machine(): Promise<string[]> {
  return [
    ...["qemu-system-x86_64", "-M", "q35,memory-backend=memory", "-accel", await accelerator(), "-cpu", "max"],
    ...["-smp", "2", "-m", `${MEMORY}`, "-object", `memory-backend-memfd,id=memory,size=${MEMORY}M,share=on`],
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
  ];
}

let working: Promise<string> | undefined;

/**
 * KVM where a guest gets anywhere with it, and software emulation otherwise. /dev/kvm may be there and not work: in some
 * virtual machines, or where it belongs to somebody else.
 */
function accelerator(): Promise<string> {
  working ??= (async () => {
    // With no disk the kernel panics, which ends QEMU in order. Where KVM does not work, it aborts, or hangs.
    const args = ["-s", "KILL", "5", "qemu-system-x86_64", "-accel", "kvm", "-cpu", "max", "-m", "256"];
    args.push("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio");
    args.push("-kernel", `${IMAGES}/bookworm.vmlinuz`, "-append", "console=ttyS0 quiet panic=-1");
    const { success, stdout } = await new Deno.Command("timeout", { args, stdin: "null", stderr: "null" }).output();
    return success && new TextDecoder().decode(stdout).includes("Kernel panic") ? "kvm" : "tcg";
  })();
  return working;
}

/** Until there is something at `path`. */
export async function appearance(path: string): Promise<void> {
  using watcher = Deno.watchFs(path.slice(0, path.lastIndexOf("/")));
  const exists = () => Deno.lstat(path).then(() => true, () => false);
  if (await exists()) return;
  for await (const _ of watcher) if (await exists()) return;
}
