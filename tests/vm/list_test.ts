import { assertEquals } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import { Tied } from "../../tools/tied.ts";
import { Installation } from "../support/installation.ts";
import { appearance, IMAGES } from "./guest.ts";

/** Copies the real vhost-device-vsock to `folder`, and returns the words that start it under its own name. */
function realMultiplexer(folder: Folder): string[] {
  const root = `${IMAGES}/multiplexer`;
  // It needs a newer C library than this machine's, so what the process is named after is that library's loader.
  Deno.copyFileSync(`${root}/usr/lib64/ld-linux-x86-64.so.2`, folder.at("vhost-device-vsock"));
  const libraries = ["--library-path", `${root}/usr/lib/x86_64-linux-gnu`];
  return [folder.at("vhost-device-vsock"), ...libraries, `${root}/usr/bin/vhost-device-vsock`];
}

Deno.test("the real vhost-device-vsock's sockets for ssh are listed, those for QEMU are not", async () => {
  using folder = new Folder();
  using installation = new Installation();
  const vms = [3, 42].map((
    cid,
  ) => ["--vm", `guest-cid=${cid},socket=${folder.at(`q${cid}`)},uds-path=${folder.at(`v${cid}`)}`]);
  await using multiplexer = new Tied([...realMultiplexer(folder), ...vms.flat()], folder.at("log"));
  for (const name of ["q3", "q42", "v3", "v42"]) await multiplexer.needed(appearance(folder.at(name)));

  const all: { address: string; source: string; cid: number; pid: number }[] = JSON.parse(
    outputOf(installation.shim, "list", "--json"),
  );
  const ours = all.filter(({ address }) => address.includes(folder.path));
  assertEquals(ours.map(({ address, source, cid, pid }) => ({ address, source, cid, pid })), [
    { address: `vsock-mux${folder.at("v3")}`, source: "vhost-device-vsock", cid: 3, pid: multiplexer.pid },
    { address: `vsock-mux${folder.at("v42")}`, source: "vhost-device-vsock", cid: 42, pid: multiplexer.pid },
  ]);
});
