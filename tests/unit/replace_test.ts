import { assert, assertEquals, assertThrows } from "@std/assert";
import { applyPlan } from "../../commands/config/apply_plan.ts";
import { dropIn } from "../../commands/config/drop_in.ts";
import type { ConfigLocation } from "../../commands/config/location.ts";
import { lockDirectory } from "../../commands/config/lock.ts";
import { planInstall } from "../../commands/config/plan_install.ts";
import { ConcurrentChange, makeChange, readSnapshot, realPath } from "../../commands/config/replace.ts";
import { assertFails, Folder, inTime } from "./support.ts";

const text = (of: string) => new TextEncoder().encode(of);
const names = (folder: Folder) => [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();

Deno.test("a file that somebody else has changed since it was read is left to them", () => {
  using folder = new Folder();
  const path = folder.file("f", "old\n");
  const before = readSnapshot(path);
  folder.file("f", "theirs\n");
  for (const after of [text("new\n"), undefined]) {
    assertThrows(() => makeChange({ path, before, after }), ConcurrentChange);
    assertThrows(() => makeChange({ path, before: undefined, after }), ConcurrentChange);
  }
  assertEquals([names(folder), Deno.readTextFileSync(path)], [["f"], "theirs\n"]);
});

Deno.test("a file that somebody else has taken away since it was read is not made again", () => {
  using folder = new Folder();
  const path = folder.file("f", "old\n");
  const before = readSnapshot(path);
  Deno.removeSync(path);
  assertThrows(() => makeChange({ path, before, after: text("new\n") }), ConcurrentChange);
  assertEquals(names(folder), []);
});

Deno.test("a change that fails leaves the file as it was, and nothing beside it", () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.at("f"));
  assertFails(
    "resource",
    () => makeChange({ path: folder.at("f"), before: undefined, after: text("new") }),
    "a folder",
  );
  assertEquals(names(folder), ["f"]);
});

Deno.test("what somebody else writes meanwhile is read again, and nothing of it is lost", async () => {
  using home = new Folder();
  const place: ConfigLocation = { directory: home.at(".ssh"), fileName: "deno-ssh-proxy.conf", home: home.path };
  Deno.mkdirSync(place.directory);
  home.file(".ssh/config", "Host a\n");
  let plans = 0;
  await applyPlan(place, true, () => {
    const plan = planInstall(place, {}, (settings) => dropIn("x", settings));
    if (++plans < 3) home.file(".ssh/config", `Host a\nHost ${plans}\n`);
    return plan;
  });
  const [, include, ...rest] = Deno.readTextFileSync(home.at(".ssh/config")).split("\n");
  assertEquals([plans, include, rest], [3, "Include deno-ssh-proxy.conf", ["Host a", "Host 2", ""]]);
});

Deno.test("a file that is changed again and again is given up, and that is said", async () => {
  using home = new Folder();
  const place: ConfigLocation = { directory: home.at(".ssh"), fileName: "deno-ssh-proxy.conf", home: home.path };
  Deno.mkdirSync(place.directory);
  let plans = 0;
  const work = applyPlan(place, true, () => {
    const plan = planInstall(place, {}, (settings) => dropIn("x", settings));
    home.file(".ssh/config", `Host ${plans++}\n`);
    return plan;
  });
  const error = await work.then(() => undefined, (thrown) => thrown);
  assertFails("resource", () => {
    throw error;
  }, "another program changes it again and again");
  assertEquals(Deno.readTextFileSync(home.at(".ssh/config")), `Host ${plans - 1}\n`);
});

const LOCK = ".deno-ssh-proxy.lock";

Deno.test("one folder has one lock at a time, and nothing is left of the last one", async () => {
  using folder = new Folder();
  const first = await lockDirectory(folder.path);
  let got = false;
  const second = lockDirectory(folder.path).then((lock) => {
    got = true;
    return lock;
  });
  {
    using other = Deno.openSync(folder.at(LOCK));
    // The second asks in another thread: that this one does not get it either shows that nobody has let go.
    assertEquals([other.tryLockSync(true), other.tryLockSync(false), got], [false, false, false]);
  }
  first[Symbol.dispose]();
  {
    using _lock = await inTime(second);
    assertEquals([names(folder), got], [[LOCK], true]);
  }
  assertEquals(names(folder), []);
});

Deno.test("many that want the lock at once have it one after the other", async () => {
  using folder = new Folder();
  let holders = 0;
  await inTime(Promise.all(Array.from({ length: 20 }, async () => {
    using _lock = await lockDirectory(folder.path);
    assertEquals(++holders, 1);
    await new Promise((resolve) => setTimeout(resolve, 0));
    holders--;
  })));
  assertEquals(names(folder), []);
});

Deno.test("a lock that nobody lets go of is waited for no longer than there is patience", async () => {
  using folder = new Folder();
  const first = await lockDirectory(folder.path);
  const error = await lockDirectory(folder.path, 20).then(() => undefined, (thrown) => thrown);
  assertFails("timeout", () => {
    throw error;
  }, "another program has held a lock on it for 0.02 s");
  first[Symbol.dispose]();
  // The one that came too late lets go of it too.
  (await inTime(lockDirectory(folder.path)))[Symbol.dispose]();
  assertEquals(names(folder), []);
});

Deno.test("only its owner can open the lock file, whatever the folder and an earlier lock file allow", async () => {
  using folder = new Folder();
  Deno.chmodSync(folder.path, 0o777);
  const mode = () => (Deno.lstatSync(folder.at(LOCK)).mode ?? 0) & 0o777;
  (await lockDirectory(folder.path))[Symbol.dispose]();
  // Somebody opens one that anybody may open, and locks it.
  Deno.chmodSync(folder.file(LOCK, ""), 0o644);
  using theirs = Deno.openSync(folder.at(LOCK));
  theirs.lockSync(true);
  {
    using _lock = await lockDirectory(folder.path, 20);
    assertEquals(mode(), 0o600);
  }
  assertEquals(names(folder), []);
});

Deno.test("what is no file in the place of the lock is left alone, and so is where a link leads", async () => {
  using folder = new Folder();
  using elsewhere = new Folder();
  for (
    const make of [
      () => Deno.symlinkSync(elsewhere.at("made"), folder.at(LOCK)),
      () => Deno.mkdirSync(folder.at(LOCK)),
    ]
  ) {
    make();
    const error = await lockDirectory(folder.path).then(() => undefined, (thrown) => thrown);
    assertFails("resource", () => {
      throw error;
    }, "it is not a file");
    assertEquals([names(folder), names(elsewhere)], [[LOCK], []]);
    Deno.removeSync(folder.at(LOCK));
  }
});

Deno.test("a lock that others have on the folder keeps nobody from a change, nor from finding that there is none", async () => {
  using home = new Folder();
  const place: ConfigLocation = { directory: home.at(".ssh"), fileName: "deno-ssh-proxy.conf", home: home.path };
  Deno.mkdirSync(place.directory);
  using theirs = Deno.openSync(place.directory);
  theirs.lockSync(true);
  const install = () => planInstall(place, {}, (settings) => dropIn("x", settings));
  const before = performance.now();
  assertEquals((await applyPlan(place, true, install)).done.length, 2);
  assertEquals(await applyPlan(place, true, install), { done: [], notes: [] });
  // The patience that there is for another run of this program.
  assert(performance.now() - before < 10_000);
  assertEquals([...Deno.readDirSync(place.directory)].map(({ name }) => name).sort(), [
    "config",
    "deno-ssh-proxy.conf",
  ]);
});

Deno.test("a run that changes nothing makes no file, and takes away what a killed one has left", async () => {
  using home = new Folder();
  const place: ConfigLocation = { directory: home.at(".ssh"), fileName: "deno-ssh-proxy.conf", home: home.path };
  Deno.mkdirSync(place.directory);
  const nothing = () => ({ changes: [], notes: () => [] });
  const changed = () => Deno.statSync(place.directory).ctime?.getTime();
  const before = changed();
  await applyPlan(place, true, nothing);
  assertEquals(changed(), before);
  const left = [LOCK, `config.deno-ssh-proxy-${crypto.randomUUID()}`];
  for (const name of left) Deno.chmodSync(home.file(`.ssh/${name}`, ""), 0o600);
  await applyPlan(place, true, nothing);
  assertEquals([...Deno.readDirSync(place.directory)], []);
});

Deno.test("a file that comes and goes while it is looked for is one that is there or is not, and no failure", async () => {
  using folder = new Folder();
  const path = folder.at("file");
  const child = new Deno.Command("sh", {
    args: ["-c", 'while :; do : >"$0"; rm "$0"; done', path],
    stderr: "null",
  }).spawn();
  try {
    for (let n = 0; n < 100_000; n++) assertEquals(realPath(path), path);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});
