import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { AddressForm } from "../../addresses/form.ts";
import { FORMS } from "../../addresses/forms.ts";
import { THIS_MACHINE } from "../../addresses/this_machine.ts";
import { runProgram } from "../../commands/app.ts";
import type { Context, Options } from "../../commands/command.ts";
import { COMMANDS } from "../../commands/commands.ts";
import { bash } from "../../commands/completions/bash.ts";
import { fish } from "../../commands/completions/fish.ts";
import { zsh } from "../../commands/completions/zsh.ts";
import { programHelp, PROXY_INVOCATION } from "../../commands/help.ts";
import { hintForWords } from "../../commands/ssh/hint.ts";
import type { Output } from "../../commands/terminal/output.ts";
import { type ErrorKind, ProxyError } from "../../core/errors.ts";
import { PROXY_OPTIONS } from "../../proxy/invocation.ts";
import { assertFailsLater, CHECKOUT, testWith } from "./support.ts";

const MANUAL = `${CHECKOUT}/docs/deno-ssh-proxy.1`;
const page = Deno.readTextFileSync(MANUAL).split("\n");

/** What is written to one of the two outputs. */
class Written implements Output {
  readonly isTerminal = false;
  readonly takesControls = false;
  text = "";
  constructor(readonly columns: number) {}
  write(text: string): Promise<void> {
    this.text += text;
    return Promise.resolve();
  }
}

/** Runs the program with these arguments, none of which may need the library. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return await runIn(80, ...args);
}

/** The same on a terminal of `columns`. */
async function runIn(columns: number, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new Written(columns), new Written(columns)];
  const context = { out, err, commands: COMMANDS } as unknown as Context;
  const program = { name: "deno-ssh-proxy", help: programHelp(COMMANDS), commands: COMMANDS, hint: hintForWords };
  return { code: await runProgram(program, args, context), out: out.text, err: err.text };
}

/** The lines of a section of the manual page. */
function section(heading: string): string[] {
  const begin = page.indexOf(heading);
  assert(begin !== -1, heading);
  const end = page.findIndex((line, at) => at > begin && (line.startsWith(".Sh") || line.startsWith(".Ss")));
  return page.slice(begin + 1, end);
}

/** The options that have an entry of their own, without their dashes. */
function entries(lines: string[]): string[] {
  return lines.flatMap((line) => /^\.It Fl Fl ([a-z-]+)/.exec(line)?.[1] ?? []).sort();
}

function names(options: Options): string[] {
  return Object.keys(options).sort();
}

Deno.test("the manual page has every command, with every option and its values, and no other", () => {
  const lines = section(".Sh COMMANDS");
  const starts = lines.flatMap((line, at) => /^\.It Cm ([a-z]+)/.test(line) ? [at] : []);
  const general = lines.findIndex((line) => line.startsWith("Each command takes"));
  const documented = starts.map((start, at) => lines.slice(start, starts[at + 1] ?? general));
  assertEquals(
    documented.map(([first]) => /^\.It Cm ([a-z]+)/.exec(first!)![1]).sort(),
    COMMANDS.map(({ name }) => name).sort(),
  );
  for (const entry of documented) {
    const { options } = COMMANDS.find(({ name }) => entry[0]!.startsWith(`.It Cm ${name}`))!;
    assertEquals(entries(entry), names(options), entry[0]);
    for (const [name, { value, values = [] }] of Object.entries(options)) {
      assertStringIncludes(entry[0]!, `Fl Fl ${name}${value || values.length > 0 ? " Ar" : ""}`);
      for (const one of values) assert(entry.some((line) => line.startsWith(`.Cm ${one}`)), one);
    }
  }
  assertEquals(entries(lines.slice(general)), ["help", "version"]);
});

Deno.test("the manual page has every form of addresses, and no other", () => {
  const lines = section(".Ss Addresses").flatMap((line) => /^\.It Cm (.*)$/.exec(line)?.[1] ?? []);
  const forms = FORMS.map(({ name, argument }) => `${name}/ Ns Ar ${argument.toLowerCase()}`);
  const thisMachine = FORMS.filter((form: AddressForm) => form.hasThisMachine).map(({ name }) => `${name}/.host`);
  assertEquals(lines, [...forms, [THIS_MACHINE.address, ...thisMachine].join(" , ")]);
});

Deno.test("the synopsis of the manual page has every option of every command", () => {
  const synopsis = section(".Sh SYNOPSIS").join("\n").split(".Nm\n").slice(1);
  const options = (text: string) => [...text.matchAll(/Fl Fl ([a-z-]+)/g)].map(([, name]) => name!).sort();
  for (const { name, options: takes } of COMMANDS) {
    const line = synopsis.find((one) => one.startsWith(`.Cm ${name}\n`));
    assert(line, name);
    assertEquals(options(line), names(takes));
  }
  assertEquals(options(synopsis[0]!), names(PROXY_INVOCATION.options));
});

Deno.test("the form that ssh uses has the options that it reads, in the manual page and in --help", () => {
  assertEquals(Object.keys(PROXY_INVOCATION.options).map((name) => `--${name}`), [...PROXY_OPTIONS]);
  assertEquals(entries(section(".Ss Options of the ProxyCommand")), names(PROXY_INVOCATION.options));
  for (const option of PROXY_OPTIONS) assertStringIncludes(programHelp(COMMANDS), `\n  ${option}`);
});

Deno.test("--help has every command, and a command's --help every option and argument, in 80 columns", async () => {
  const general = await run("--help");
  assertEquals(general.code, 0);
  for (const { name, brief } of COMMANDS) {
    assert(
      new RegExp(`^  ${name} +${brief.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`, "m").test(general.out),
      `${name}\n${general.out}`,
    );
  }
  const all = [general.out];
  for (const { name, options, arguments: places } of COMMANDS) {
    const { code, out } = await run(name, "--help");
    assertEquals(code, 0);
    all.push(out);
    for (const option of Object.keys(options)) assert(new RegExp(`\\[--${option}\\]`).test(out), `${option}\n${out}`);
    const takes = Object.entries(options).map(([option, { value, values }]) => {
      const placeholder = value ?? values?.join("|");
      return `[--${option}${placeholder === undefined ? "" : ` ${placeholder}`}]`;
    });
    const usage = out.split("--help")[0]!;
    for (const one of takes) assert(usage.includes(one), `${one}\n${out}`);
    for (const { name } of places) assert(new RegExp(`^ +\\[?${name}\\b`, "m").test(out), `${name}\n${out}`);
  }
  for (const line of all.flatMap((text) => text.split("\n"))) assert([...line].length <= 80, line);
});

Deno.test("--help leaves a line for the prompt on a terminal of 24, and begins with the commands", async () => {
  const { out } = await run("--help");
  const lines = out.trimEnd().split("\n");
  assert(lines.length <= 23, out);
  const first = (text: string) => lines.findIndex((line) => line.includes(text));
  for (const { name } of COMMANDS) assert(first(`  ${name} `) < first("unix/PATH"), out);
});

Deno.test("on a narrow terminal help is broken at spaces alone, and says the same", async () => {
  for (const args of [["--help"], ...COMMANDS.map(({ name }) => [name, "--help"])]) {
    const wide = (await run(...args)).out;
    for (const columns of [40, 60, 79]) {
      const { out } = await runIn(columns, ...args);
      const words = (text: string) => text.split(/\s+/);
      assertEquals(words(out), words(wide));
      // A longer word, or a group of an option and its value, has the line for itself.
      for (const line of out.split("\n")) assert(line.length <= columns || !line.trim().includes(" "), line);
    }
  }
});

Deno.test("the completions of every shell have every command and option", () => {
  for (const script of [bash(COMMANDS), zsh(COMMANDS), fish(COMMANDS)]) {
    for (const { name, options } of COMMANDS) {
      assertStringIncludes(script, name);
      for (const option of Object.keys(options)) assert(new RegExp(`(?:--|-l )${option}\\b`).test(script), option);
    }
    for (const option of Object.keys(PROXY_INVOCATION.options)) {
      assert(new RegExp(`(?:--|-l )${option}\\b`).test(script));
    }
  }
});

Deno.test("every exit code is in the manual page and the README, and --help says where", () => {
  const kinds: Record<ErrorKind, true> = {
    usage: true,
    missing: true,
    unreachable: true,
    defect: true,
    resource: true,
    handover: true,
    timeout: true,
    protocol: true,
    permission: true,
    configuration: true,
  };
  const codes = Object.keys(kinds).map((kind) => String(new ProxyError(kind as ErrorKind, "a: b").exitCode));
  const manual = section(".Sh EXIT STATUS").flatMap((line) => /^\.It ([0-9]+)/.exec(line)?.[1] ?? []);
  assertEquals(manual, ["0", ...codes]);
  const readme = Deno.readTextFileSync(`${CHECKOUT}/README.md`).split("## Exit codes")[1]!.split("\n## ")[0]!;
  assertEquals([...readme.matchAll(/^\| ([0-9]+) /gm)].map(([, code]) => code), ["0", ...codes]);
  assertStringIncludes(programHelp(COMMANDS), "exit codes and more: man deno-ssh-proxy");
});

testWith(
  "mandoc",
  "mandoc has nothing to say against the manual page",
  () => {
    const { stdout } = new Deno.Command("mandoc", { args: ["-T", "lint", MANUAL] }).outputSync();
    // What manuals there are is a matter of the machine.
    const lines = new TextDecoder().decode(stdout).split("\n").filter((line) =>
      line !== "" && !line.includes("referenced manual not found")
    );
    assertEquals(lines, []);
  },
  ["-T", "ascii", MANUAL],
);

Deno.test("what stands behind -- is no option", async () => {
  await assertFailsLater("usage", () => run("completions", "--", "--x"), "'--x': there are no completions");
  await assertFailsLater("usage", () => run("completions", "b\x1b[2J"), "'b\\x1b[2J': there are no completions");
});

Deno.test("a mistyped command or option is refused, and the nearest is offered", async () => {
  const mistyped: [args: string[], message: string, hint: string][] = [
    [["chek"], "'chek': neither a command nor an address", "did you mean check?"],
    [["wiat", "unix/s"], "'wiat': neither a command nor an address", "did you mean wait?"],
    [["check", "unix/s", "--jsno"], "--jsno: no such option", "did you mean --json?"],
    [["wait", "unix/s", "--tiemout", "5"], "--tiemout: no such option", "did you mean --timeout?"],
    [["frobnicate-it"], "'frobnicate-it': neither a command nor an address", "--help"],
    [["check", "-j", "unix/s"], "-j: no such option", "--help"],
    [["vsock:42"], "'vsock:42': neither a command nor an address", "  did you mean vsock/42?"],
    [["vsock", "42"], "'vsock': neither a command nor an address", "  did you mean vsock/42?"],
    [["42", "22"], "'42': neither a command nor an address", "  did you mean vsock/42?"],
    [["machine:web", "22"], "'machine:web': neither a command nor an address", "  did you mean machine/web?"],
    [[".host:22"], "'.host:22': neither a command nor an address", "  did you mean .host? It has no port"],
    [["vm", "22"], "'vm': neither a command nor an address", "  deno-ssh-proxy --help"],
    [["toString"], "'toString': neither a command nor an address", "  deno-ssh-proxy --help"],
    [["install"], "'install': neither a command nor an address", "  did you mean config --install?"],
    [["uninstall"], "'uninstall': neither a command nor an address", "  did you mean config --uninstall?"],
    [["config", "install"], "'install': one argument too many", "  did you mean config --install?"],
    [["config", "list"], "'list': one argument too many", "  did you mean config --list?"],
    [["config", "toString"], "'toString': one argument too many", "  deno-ssh-proxy config --help"],
    [["check"], "check: no ADDRESS given", "  for example: deno-ssh-proxy check vsock/42"],
    [["wait"], "wait: no ADDRESS given", "  for example: deno-ssh-proxy wait vsock/42"],
    [
      ["completions"],
      "completions: no SHELL given",
      "  it is one of bash, zsh, fish, for example: deno-ssh-proxy completions bash",
    ],
    [["check", "unix/s", "22", "23"], "'23': one argument too many", "check --help"],
    [["check", "unix/s", "--timeout"], "--timeout: it needs a value", "check --help"],
    [["check", "unix/s", "--json", "--json"], "--json: it may be given once", "check --help"],
    [["che\x1b[2Jck"], "'che\\x1b[2Jck': neither", ""],
    [["check", "unix/s", "22", "\x1b[2J"], "'\\x1b[2J': one argument too many", ""],
    [["check", "--json=\x1b[2J", "unix/s"], "--json '\\x1b[2J': it takes no value", ""],
    [["config", "--host-keys", "\x1b[2J"], "--host-keys '\\x1b[2J': not one of ephemeral, tofu, strict", ""],
  ];
  for (const [args, message, hint] of mistyped) {
    const { code, out, err } = await run(...args);
    assertEquals([code, out], [64, ""], args.join(" "));
    const [first, second, ...more] = err.split("\n");
    assertStringIncludes(first!, `deno-ssh-proxy: ${message}`);
    assertStringIncludes(second!, hint);
    assertEquals(more, [""]);
  }
});
