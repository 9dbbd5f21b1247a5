/**
 * What bash, zsh and fish complete this program's command lines with, from the list of its commands.
 *
 * @module
 */

import type { Argument, Command, Options } from "./command.ts";
import { FORMS } from "./fragment.ts";
import { PROXY_FORM } from "./help.ts";

/** The forms of addresses, each with what is typed before the part that differs. */
const BEGINNINGS = [...FORMS.map((form) => `${form}/`), ".host"];

/** What stands in the place of a command. */
const INSTEAD = { help: "what there is", version: "the version" };

/** What every command has. */
const HELP = { help: "what it takes" };

/** A script for bash (bash-completion loads it by the name of the program). */
export function bash(commands: readonly Command[]): string {
  const cases = commands.map(({ name, options, arguments: [first] }) => {
    const words = first?.values ?? [];
    return `  ${name})
    options="${dashed({ ...options, ...HELP }).join(" ")}" values="${words.join(" ")}" takes=${
      takesAddress(first) ? "address" : ""
    }
    ;;`;
  });
  return `# What bash completes deno-ssh-proxy with: made by deno-ssh-proxy completions bash.

# The addresses that this machine has, and the paths of sockets.
_deno_ssh_proxy_address() { # _deno_ssh_proxy_address PROGRAM WORD
  local entry form=\${2%%/*}
  while IFS=$'\\t' read -r entry _; do
    [[ $entry == "$2"* ]] && COMPREPLY+=("$entry")
  done < <("$1" list 2>/dev/null)
  case $2 in
  unix/* | vsock-mux/*)
    while IFS= read -r entry; do
      if [[ -d $entry ]]; then
        COMPREPLY+=("$form$entry/")
      elif [[ -S $entry ]]; then
        COMPREPLY+=("$form$entry")
      fi
    done < <(compgen -f -- "\${2#"$form"}")
    ;;
  */* | *%*) ;;
  *) COMPREPLY+=($(compgen -W "${BEGINNINGS.join(" ")}" -- "$2")) ;;
  esac
  # Whatever goes on after it has no space behind it.
  [[ \${#COMPREPLY[@]} != 1 || \${COMPREPLY[0]} != */ ]] || compopt -o nospace 2>/dev/null
}

_deno_ssh_proxy() {
  local options= values= takes= at places=0
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "${[...commands.map(({ name }) => name), ...dashed(INSTEAD)].join(" ")}" -- "$2"))
    [[ $2 == -* ]] || _deno_ssh_proxy_address "$1" "$2"
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
  */* | *%* | .host)
    options="${dashed(PROXY_FORM.options).join(" ")}"
    ;;
  esac
  case $3 in
${valueCases([...commands.map(({ options }) => options), PROXY_FORM.options])}
  esac
  if [[ $2 == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$2"))
    return
  fi
  for ((at = 2; at < COMP_CWORD; at++)); do
    case \${COMP_WORDS[at]} in
    ${withValue(commands).join(" | ")})
      # bash makes a word of the = too that may stand before the value.
      [[ \${COMP_WORDS[at + 1]} != = ]] || at=$((at + 1))
      at=$((at + 1))
      ;;
    -*) ;;
    *) places=$((places + 1)) ;;
    esac
  done
  ((places == 0)) || return
  [[ -z $values ]] || COMPREPLY=($(compgen -W "$values" -- "$2"))
  [[ -z $takes ]] || _deno_ssh_proxy_address "$1" "$2"
}

complete -F _deno_ssh_proxy deno-ssh-proxy
`;
}

/** What follows an option that takes a value, for bash. */
function valueCases(all: readonly Options[]): string {
  const lines = new Set<string>();
  for (const [name, { value, values }] of all.flatMap((options) => Object.entries(options))) {
    if (values !== undefined) {
      lines.add(`  --${name})\n    COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$2"))\n    return\n    ;;`);
    } else if (value !== undefined && !isOptional(value)) lines.add(`  --${name}) return ;;`);
  }
  return [...lines].join("\n");
}

/** A function for zsh (which finds it in a folder of fpath by its name). */
export function zsh(commands: readonly Command[]): string {
  const cases = commands.map(({ name, options, arguments: places }) => {
    const specs = [
      ...Object.entries(options).map(([option, { brief, value, values, repeated }]) => {
        const action = values === undefined
          ? value === undefined ? "" : `:${value.replaceAll(":", "\\:")}:`
          : `:${option}:(${values.join(" ")})`;
        return quoted(`${repeated ? "*" : ""}--${option}[${escaped(brief)}]${action}`);
      }),
      quoted(`--help[${HELP.help}]`),
      ...places.map((place, at) => {
        const action = takesAddress(place)
          ? "_deno_ssh_proxy_addresses"
          : place.values
          ? `(${place.values.join(" ")})`
          : "";
        return quoted(`${at + 1}${place.optional ? ":" : ""}:${place.name}:${action}`);
      }),
    ];
    return `  ${name})\n    _arguments ${specs.join(" \\\n      ")}\n    ;;`;
  });
  const proxy = Object.entries(PROXY_FORM.options).map(([option, { brief, value }]) =>
    quoted(
      `--${option}[${escaped(brief)}]${
        value === undefined || isOptional(value) ? "" : `:${value.replaceAll(":", "\\:")}:`
      }`,
    )
  );
  return `#compdef deno-ssh-proxy
# What zsh completes deno-ssh-proxy with: made by deno-ssh-proxy completions zsh.

# The addresses that this machine has, and the paths of sockets.
_deno_ssh_proxy_addresses() {
  local -a found forms=(${BEGINNINGS.filter((form) => form.endsWith("/")).join(" ")})
  found=(\${(f)"$(deno-ssh-proxy list 2>/dev/null | cut -f1)"})
  compadd -a found
  if compset -P '(unix|vsock-mux)'; then
    _path_files -g '*(=)'
  else
    compadd -S '' -a forms
    compadd .host
  fi
}

_deno-ssh-proxy() {
  if ((CURRENT == 2)); then
    local -a commands=(
${commands.map(({ name, brief }) => `      ${quoted(`${name}:${brief.replaceAll(":", "\\:")}`)}`).join("\n")}
    )
    _describe command commands
    compadd -- ${dashed(INSTEAD).join(" ")}
    _deno_ssh_proxy_addresses
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join("\n")}
  *)
    _arguments ${[...proxy, quoted("1:PORT:")].join(" \\\n      ")}
    ;;
  esac
}

_deno-ssh-proxy "$@"
`;
}

/** What fish asks before it offers what goes in the first place only. */
const FIRST = "__deno_ssh_proxy_first_place";

/** A script for fish (which loads it by the name of the program). */
export function fish(commands: readonly Command[]): string {
  const one = (condition: string, rest: string) => `complete -c deno-ssh-proxy -n ${quoted(condition)} ${rest}`;
  const lines = [
    ...commands.map(({ name, brief }) => one("__fish_use_subcommand", `-a ${name} -d ${quoted(brief)}`)),
    ...Object.entries(INSTEAD).map(([name, brief]) => one("__fish_use_subcommand", `-l ${name} -d ${quoted(brief)}`)),
    one("__fish_use_subcommand", "-a '(__deno_ssh_proxy_addresses)'"),
    ...commands.flatMap(({ name, options, arguments: [first] }) => {
      const here = `__fish_seen_subcommand_from ${name}`;
      return [
        ...fishOptions(options).map((option) => one(here, option)),
        one(here, `-l help -d ${quoted(HELP.help)}`),
        ...(takesAddress(first) ? [one(`${here}; and ${FIRST}`, "-a '(__deno_ssh_proxy_addresses)'")] : []),
        ...(first?.values ? [one(`${here}; and ${FIRST}`, `-a ${quoted(first.values.join(" "))}`)] : []),
      ];
    }),
    ...fishOptions(PROXY_FORM.options).map((option) =>
      one(`not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(" ")}`, option)
    ),
  ];
  return `# What fish completes deno-ssh-proxy with: made by deno-ssh-proxy completions fish.

# The addresses that this machine has, and the paths of sockets.
function __deno_ssh_proxy_addresses
    deno-ssh-proxy list 2>/dev/null | string split -f 1 \\t
    printf '%s\\n' ${BEGINNINGS.join(" ")}
    set -l token (commandline --current-token)
    for form in unix vsock-mux
        if string match -q -- "$form/*" $token
            set -l path (string replace -- $form '' $token)
            for entry in $path*
                test -d $entry; and echo $form$entry/
                test -S $entry; and echo $form$entry
            end
        end
    end
end

# Whether nothing but options has followed the command yet.
function ${FIRST}
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -e words[1..2]
    while set -q words[1]
        switch $words[1]
            case ${withValue(commands).join(" ")}
                set -e words[1..2]
            case '-*'
                set -e words[1]
            case '*'
                return 1
        end
    end
end

complete -c deno-ssh-proxy -f
${lines.join("\n")}
`;
}

function fishOptions(options: Options): string[] {
  return Object.entries(options).map(([name, { brief, value, values }]) => {
    const takes = values !== undefined
      ? ` -x -a ${quoted(values.join(" "))}`
      : value === undefined || isOptional(value)
      ? ""
      : " -x";
    return `-l ${name} -d ${quoted(brief)}${takes}`;
  });
}

/** The options of any command which the next word is the value of. */
function withValue(commands: readonly Command[]): string[] {
  const all = commands.flatMap(({ options }) => Object.entries(options));
  return [...new Set(all.flatMap(([name, { value, values }]) => value ?? values ? [`--${name}`] : []))];
}

/** Whether a value may be left out, as it stands in a usage line. */
function isOptional(value: string): boolean {
  return value.startsWith("[");
}

function takesAddress(argument: Argument | undefined): boolean {
  return argument?.name === "ADDRESS";
}

function dashed(options: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(options).map((name) => `--${name}`);
}

/** A word for each of the three shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** What stands in the brackets of a specification of zsh's _arguments. */
function escaped(brief: string): string {
  return brief.replace(/[[\]:]/g, "\\$&");
}
