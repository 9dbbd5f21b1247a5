/**
 * That other programs which read ssh_config read it with this program's lines in it, and find for the user's own hosts
 * what they found before.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf, pathOf, works } from "../../tools/programs.ts";
import { Sshd } from "../../tools/sshd.ts";
import { hasNamespaces, Home } from "../support/home.ts";
import { Installation } from "../support/installation.ts";
import { testWhere } from "../support/tools.ts";
import { npmPackages, type Packages, pythonPackages } from "./packages.ts";

const canRun = hasNamespaces();
const installation = canRun ? new Installation() : undefined;
const folder = new Folder();
Deno.test.afterAll(() => {
  folder[Symbol.dispose]();
  installation?.[Symbol.dispose]();
});

/** A program that prints what a parser finds for hosts. */
interface Parser {
  name: string;
  /** Why it cannot run here; nothing where it can. */
  why: string | undefined;
  /** What starts it, for the hosts that follow, with what `config` is in. */
  words(config: string): string[];
  /** Whether it refuses a file with `Match` in it, whoever wrote that. */
  refusesMatch?: true;
}

function source(name: string): string {
  return `${CHECKOUT}/tests/ssh_config/${name}`;
}

/** The folder of packages that are there. */
function inside({ folder = "" }: Packages, path: string): string {
  return `${folder}/${path}`;
}

/** What a compiler makes of a program, or why it makes nothing. */
function compiled(isInstalled: boolean, why: string, name: string, ...words: string[]): Pick<Parser, "why" | "words"> {
  if (isInstalled) outputOf("env", ...words);
  return { why: isInstalled ? undefined : why, words: () => [folder.at(name)] };
}

const [current, pyinfra, npm] = [pythonPackages("parsers"), pythonPackages("pyinfra"), npmPackages()];
/** Where Debian has the sources of Go packages. */
const GOPATH = "/usr/share/gocode";

const PARSERS: Parser[] = [
  {
    name: "Paramiko 5",
    why: current.why,
    words: (config) => [inside(current, "bin/python"), source("read_with_paramiko.py"), config],
  },
  {
    name: "Paramiko 4",
    why: pyinfra.why,
    words: (config) => [inside(pyinfra, "bin/python"), source("read_with_paramiko.py"), config],
  },
  {
    name: "asyncssh",
    why: current.why,
    words: (config) => [inside(current, "bin/python"), source("read_with_asyncssh.py"), config],
  },
  {
    name: "Node's ssh-config",
    why: npm.why,
    words: (config) => [pathOf("node"), source("read_with_ssh_config.mjs"), inside(npm, ""), config],
  },
  {
    name: "Ruby's net-ssh",
    why: works("ruby", ["-e", 'require "net/ssh"']) ? undefined : "there is no net-ssh here",
    words: () => ["ruby", source("read_with_net_ssh.rb")],
  },
  {
    name: "libssh",
    ...compiled(
      works("cc", ["-E", "-include", "libssh/libssh.h", "-x", "c", "/dev/null"]),
      "libssh is not installed",
      "libssh",
      ...["cc", "-std=c11", "-Wall", "-Wextra", "-o", folder.at("libssh")],
      ...[source("read_with_libssh.c"), "-lssh"],
    ),
  },
  {
    name: "Go's kevinburke/ssh_config",
    refusesMatch: true,
    ...compiled(
      works("go", ["version"]) && works("test", ["-d", `${GOPATH}/src/github.com/kevinburke/ssh_config`]),
      "Go or this package of it is not installed",
      "go",
      ...[`GOPATH=${GOPATH}`, "GO111MODULE=off", `GOCACHE=${CHECKOUT}/build/ssh_config/go`],
      ...["go", "build", "-o", folder.at("go"), source("read_with_ssh_config.go")],
    ),
  },
];

/** What a user has who has hosts of their own. */
const CONFIG = `IdentityFile ~/.ssh/id_all

Host prod-db
  HostName 10.1.2.3
  IdentityFile ~/.ssh/id_db

Host 10.*
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  ForwardAgent yes

Host bastion
  HostName bastion.corp.example
  Port 2022

Host *.corp.example
  ProxyJump bastion

Host *.proxied.example !not.proxied.example
  HostName proxied.example
  ProxyCommand nc -X 5 -x 127.0.0.1:1080 proxied 22

Host "quoted" unix vsock machine
  User "quoted user"

Host *
  User somebody-else
  Port 2222
  ServerAliveInterval 30
`;

const HOSTS = [
  ...["prod-db", "10.1.2.3", "bastion", "web.corp.example", "x.proxied.example", "not.proxied.example"],
  ...["quoted", "unix", "vsock", "machine", "other"],
];

/** What has `Match` blocks of the user's own in it as well. */
const WITH_MATCH = `${CONFIG}
Match host prod-db
  Compression yes
Match user somebody-else
  SendEnv LANG
`;

/** What a parser finds, or that it finds nothing. */
interface Found {
  code: number;
  found: string;
}

async function find(parser: Parser, home: Home): Promise<Found> {
  const { code, out, err } = await home.run([...parser.words(home.at("~/.ssh/config")), ...HOSTS]);
  const lines = out.replaceAll(home.path, "~").split("\n").filter((line) => !/^\S+ include /i.test(line));
  // Of a refusal, where in the file it is does not matter.
  return { code, found: code === 0 ? lines.join("\n") : err.replaceAll(/\d+/g, "") };
}

function homeWith(config: string): Home {
  const home = new Home();
  home.file("~/.ssh/config", config);
  return home;
}

/** What a parser finds in a configuration as it is. */
async function findBefore(parser: Parser, config: string): Promise<Found> {
  using home = homeWith(config);
  const before = await find(parser, home);
  if (config === WITH_MATCH && parser.refusesMatch) assertEquals(before.code === 0, false, before.found);
  else assertStringIncludes(before.found, "bastion.corp.example");
  return before;
}

/** The ways in which this program's lines come to where a parser reads them. */
const WAYS: [how: string, install: (home: Home, config: string) => Promise<unknown>][] = [
  ["after config --install by a user", (home) => run(home, false, "--install")],
  ["after config --install by root", (home) => run(home, true, "--install")],
  ["after config --install with an alias", (home) => run(home, false, "--install", "--alias", "vm=unix/run/Vm.sock")],
  [
    "with what config prints above it",
    async (home, config) => home.file("~/.ssh/config", `${await printed(home)}${config}`),
  ],
  [
    "with what config prints below it",
    async (home, config) => home.file("~/.ssh/config", `${config}${await printed(home)}`),
  ],
];

/** Runs `config`, and gives what it prints. */
async function run(home: Home, root: boolean, ...args: string[]): Promise<string> {
  const { code, out, err } = await home.run([installation!.shim, "config", ...args], { root });
  assertEquals(code, 0, err);
  return out;
}

async function printed(home: Home): Promise<string> {
  const text = await run(home, false, "--host-keys", "tofu");
  assertStringIncludes(text, "ProxyUseFdpass");
  return text;
}

for (const parser of PARSERS) {
  const befores = new Map<string, Promise<Found>>();
  for (const [how, install] of WAYS) {
    testWhere(
      canRun && parser.why === undefined,
      parser.why ?? "no user and mount namespaces can be made here",
      `${how}, ${parser.name} finds for the user's own hosts what it found before`,
      async () => {
        for (const config of parser.refusesMatch ? [CONFIG, WITH_MATCH] : [WITH_MATCH]) {
          const before = befores.get(config) ?? findBefore(parser, config);
          befores.set(config, before);
          using home = homeWith(config);
          await install(home, config);
          assertEquals(await find(parser, home), await before);
        }
      },
    );
  }
}

testWhere(
  canRun && pyinfra.why === undefined,
  pyinfra.why ?? "no user and mount namespaces can be made here",
  "after config --install, pyinfra reaches a server of the user's own",
  async () => {
    await using sshd = await Sshd.start();
    using home = new Home();
    const name = outputOf("id", "-un").trim();
    // What stands before the first Host is for every host.
    const all = `User ${name}\nIdentityFile ${sshd.key}\nStrictHostKeyChecking accept-new\n`;
    home.file("~/.ssh/config", `${all}Host own\n  HostName 127.0.0.1\n  Port ${sshd.tcpDoor().port}\n`);
    await run(home, false, "--install");
    const { code, out, err } = await home.run([
      ...[inside(pyinfra, "bin/pyinfra"), "-y", "-v", "own"],
      ...["exec", "--", "echo", "hello from $((6 * 7))"],
    ]);
    assertEquals(code, 0, err);
    assertStringIncludes(out + err, "hello from 42");
  },
);
